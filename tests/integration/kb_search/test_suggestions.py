"""Suggestions come under the covers when a live contact comes in, and change with what the customer says."""

from __future__ import annotations

import pytest

from tests.support.kb_search import Customer, Libraries, Replica

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = {"title": "Reset a forgotten password", "body": "Choose *Forgotten password* and follow the mail."}
CARD = {"title": "Block a stolen card", "body": "Call the hotline; the card is blocked at once, a new one is posted."}


async def test_a_contacts_words_find_articles_and_the_request_is_told(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-password", **PASSWORD)
    await desk.article("sugg-card", **CARD)
    ada = Customer("sugg-ada")
    await service.send(ada.made(), ada.contact("sugg-1", subject="Password", body="I have forgotten it"))
    await desk.shows("sugg-1", "sugg-password")
    ((type_, data),) = await service.stated("sugg-1")
    assert type_ == "SuggestionShown"
    assert [(each["article_id"], each["revision"]) for each in data["suggestions"]] == [("sugg-password", 1)]
    assert data["ranking"] == "words-1"
