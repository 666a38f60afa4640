"""Suggestions come under the covers when a live contact comes in, and change with what the customer says."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.kb_search import Customer, Libraries, Replica, event
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY_US = 86_400_000_000
ASKED_IN_VAIN = "select asked from gaps where source = 'contacts'"


async def settled(service: Libraries, request_id: str) -> None:
    """Waits until the request is known and its words are looked up."""

    async def is_so() -> bool:
        return await service.rows("select due_us from requests where request_id = $1", request_id) == [(None,)]

    await until(is_so, 20, f"{request_id} is looked up")


async def shown(service: Libraries, request_id: str) -> list[list[str]]:
    """The lists that were stated, one after the other."""
    events = await service.stated(request_id)
    return [[each["article_id"] for each in data["suggestions"]] for _, data in events]


async def test_a_contacts_words_find_articles_and_the_request_is_told(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-password", title="Reset a forgotten aardvark", body="Choose it, then follow the mail.")
    await desk.article("sugg-card", title="Block a stolen baboon", body="Call the hotline.")
    ada = Customer("sugg-ada")
    contact = ada.contact("sugg-1", subject="Aardvark", body="I have forgotten mine")
    await service.send(ada.made(), contact)
    await desk.shows("sugg-1", "sugg-password")
    ((type_, data),) = await service.stated("sugg-1")
    assert type_ == "SuggestionShown"
    assert [(each["article_id"], each["revision"]) for each in data["suggestions"]] == [("sugg-password", 1)]
    event_id = dict(contact[3])["ce_id"].decode()
    assert (data["ranking"], data["found_for"]) == ("words-1", event_id)
    ((cause, source, key),) = await service.rows(
        "select causation_id::text, source, key from events where stream = 'sugg-1'"
    )
    assert (cause, source, key) == (event_id, "/services/kb-search", "sugg-1")
    (item,) = (await desk.call("GET", "/v1/requests/sugg-1/suggestions")).json()["items"]
    assert item.pop("score") > 0
    assert item == {
        "article_id": "sugg-password",
        "title": "Reset a forgotten aardvark",
        "snippet": "Choose it, then follow the mail.",
        "revision": 1,
    }


async def test_the_list_is_read_in_pages(service: Libraries, desk: Replica) -> None:
    names = [f"sugg-page-{n}" for n in range(3)]
    for name in names:
        await desk.article(name, title="Ocelot statements", body="How to read them.")
    oz = Customer("sugg-oz")
    await service.send(oz.made(), oz.contact("sugg-pages", subject="Ocelot statements"))
    await settled(service, "sugg-pages")
    first = (await desk.call("GET", "/v1/requests/sugg-pages/suggestions", limit=2)).json()
    second = (await desk.call("GET", "/v1/requests/sugg-pages/suggestions", cursor=first["next_cursor"])).json()
    assert sorted(each["article_id"] for each in first["items"] + second["items"]) == names
    assert (len(first["items"]), second["next_cursor"]) == (2, None)


async def test_the_list_changes_with_what_the_customer_says(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-x", title="Capybara fees")
    await desk.article("sugg-y", title="Dingo limits")
    bo = Customer("sugg-bo")
    await service.send(bo.made(), bo.contact("sugg-2", subject="capybara"))
    await desk.shows("sugg-2", "sugg-x")
    await service.send(bo.message("sugg-2", body="Sorry, I mean the dingo, the dingo limits"))
    await desk.shows("sugg-2", "sugg-y")
    await service.send(bo.message("sugg-2", body="Are you there?"))
    await settled(service, "sugg-2")
    assert await shown(service, "sugg-2") == [["sugg-x"], ["sugg-y"]]


async def test_a_contact_without_words_is_known_and_shown_nothing(service: Libraries, desk: Replica) -> None:
    cy = Customer("sugg-cy")
    await service.send(cy.made(), cy.contact("sugg-3", channel="voice"))
    await settled(service, "sugg-3")
    assert await desk.suggested("sugg-3") == []
    assert await shown(service, "sugg-3") == []


async def test_what_was_searched_for_before_and_the_context_count(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-old", title="Emu settings", applies_to={"product": "App", "version": "1"})
    await desk.article("sugg-new", title="Emu settings", applies_to={"product": "App", "version": "2"})
    await desk.article("sugg-any", title="Emu settings")
    di = Customer("sugg-di")
    session = [{"action": "search", "detail": "emu settings"}]
    about = {"product": "app", "version": "2.1"}
    await service.send(di.made(), di.contact("sugg-4", session=session, context=about))
    await desk.shows("sugg-4", "sugg-new", "sugg-any")


async def test_what_the_customer_speaks_comes_first_and_hides_nothing(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-en", title="Fennek", language="en")
    await desk.article("sugg-de", title="Fennek", language="de")
    ed = Customer("sugg-ed")
    await service.send(ed.made(), ed.contact("sugg-5", subject="Fennek", language="de-AT"))
    await desk.shows("sugg-5", "sugg-de", "sugg-en")


async def test_imports_get_no_suggestions(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-import", title="Gecko")
    fo = Customer("sugg-fo")
    past = fo.contact("sugg-past", source="/imports", subject="gecko")
    await service.send(fo.made(), past, fo.contact("sugg-6", subject="gecko"))
    await desk.shows("sugg-6", "sugg-import")
    assert await desk.suggested("sugg-past") is None
    assert await service.stated("sugg-past") == []


async def test_what_was_said_long_ago_is_kept_and_not_told_of(service: Libraries, desk: Replica) -> None:
    """A first start on an old log must not state suggestions for all that ever came in."""
    await desk.article("sugg-stale", title="Hedgehog")
    gil = Customer("sugg-gil")
    topic, key, value, headers = gil.contact("sugg-7", subject="hedgehog")
    old = event("ContactReceived", "x", value=b"", occurred_us=time.time_ns() // 1_000 - 2 * DAY_US)[3]
    then = [(name, dict(old)["ce_time"] if name == "ce_time" else held) for name, held in headers]
    await service.send(gil.made(), (topic, key, value, then), gil.contact("sugg-8", subject="hedgehog"))
    await desk.shows("sugg-8", "sugg-stale")
    await settled(service, "sugg-7")
    assert await desk.suggested("sugg-7") == []
    await service.send(gil.message("sugg-7", body="hedgehog"))
    await desk.shows("sugg-7", "sugg-stale")


async def test_the_same_record_twice_is_told_of_once(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-twice", title="Ibex")
    hal = Customer("sugg-hal")
    contact = hal.contact("sugg-9", subject="ibex")
    await service.send(hal.made(), contact, contact, hal.contact("sugg-10", subject="ibex"))
    await desk.shows("sugg-10", "sugg-twice")
    await settled(service, "sugg-9")
    assert await shown(service, "sugg-9") == [["sugg-twice"]]
    assert await service.rows("select count(*) from said where request_id = 'sugg-9'") == [(1,)]


async def test_a_suggestion_is_later_than_its_contact_whatever_the_clocks_say(
    service: Libraries, desk: Replica
) -> None:
    """Intake's clock is an hour ahead (law 6)."""
    await desk.article("sugg-ahead", title="Jackal")
    ivy = Customer("sugg-ivy")
    ahead_us = time.time_ns() // 1_000 + 3_600_000_000
    topic, key, value, headers = ivy.contact("sugg-11", subject="jackal")
    later = dict(event("ContactReceived", "x", value=b"", occurred_us=ahead_us)[3])["ce_time"]
    moved = [(name, later if name == "ce_time" else held) for name, held in headers]
    await service.send(ivy.made(), (topic, key, value, moved))
    await desk.shows("sugg-11", "sugg-ahead")
    ((occurred_us, clock_us),) = await service.rows("select occurred_us, clock_us from events where stream = 'sugg-11'")
    assert occurred_us == ahead_us + 1
    assert clock_us < ahead_us


async def test_a_retired_article_leaves_every_list(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-leaves", title="Koala")
    joe = Customer("sugg-joe")
    await service.send(joe.made(), joe.contact("sugg-12", subject="koala"))
    await desk.shows("sugg-12", "sugg-leaves")
    await desk.call("DELETE", "/v1/articles/sugg-leaves")
    assert await desk.suggested("sugg-12") == []


async def test_at_most_five_are_shown(service: Libraries, desk: Replica) -> None:
    for n in range(7):
        await desk.article(f"sugg-many-{n}", title="Lemur")
    kim = Customer("sugg-kim")
    await service.send(kim.made(), kim.contact("sugg-13", subject="lemur"))
    await desk.shows("sugg-13", *(f"sugg-many-{n}" for n in range(5)))


async def test_a_key_that_comes_late_is_waited_for(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-late", title="Meerkat")
    lea = Customer("sugg-lea")
    mo = Customer("sugg-mo")
    await service.send(mo.made(), lea.contact("sugg-14", subject="meerkat"), mo.contact("sugg-15", subject="meerkat"))
    await desk.shows("sugg-15", "sugg-late")
    assert await desk.suggested("sugg-14") == []
    assert await service.rows("select due_us is null from requests where request_id = 'sugg-14'") == [(False,)]
    await service.send(lea.made())
    await desk.shows("sugg-14", "sugg-late")


async def test_with_a_destroyed_key_nothing_is_opened_and_what_was_shown_stays(
    service: Libraries, desk: Replica
) -> None:
    await desk.article("sugg-gone", title="Narwhal")
    ned = Customer("sugg-ned")
    await service.send(ned.made(), ned.contact("sugg-16", subject="narwhal"))
    await desk.shows("sugg-16", "sugg-gone")
    await service.send(ned.destroyed())
    erased = "select wrapped is null from customer_keys where key_id = 'sugg-ned'"
    await until(lambda: _is(service, erased, [(True,)]), what="the key is destroyed here")
    await service.send(ned.message("sugg-16", body="ocelot"), ned.contact("sugg-17", subject="narwhal"))
    await until(lambda: _is(service, "select count(*) from requests where request_id = 'sugg-17'", [(1,)]))
    await settled(service, "sugg-16")
    await settled(service, "sugg-17")
    assert await desk.suggested("sugg-16") == ["sugg-gone"]
    assert await desk.suggested("sugg-17") == []
    assert await shown(service, "sugg-16") == [["sugg-gone"]]


async def test_what_found_nothing_is_counted_by_our_own_words_alone(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-gap", title="Pangolin", applies_to={"product": "Zoo"})
    oda = Customer("sugg-oda")
    said = "My name is Oda Quexfield, the pangolin of 4711"
    await service.send(oda.made(), oda.contact("sugg-18", body=said, context={"product": "Farm"}))
    await settled(service, "sugg-18")
    assert await desk.suggested("sugg-18") == []
    asked = {row[0] for row in await service.rows(ASKED_IN_VAIN)}
    assert "pangolin" in asked
    assert not {each for each in asked if "quex" in each or "4711" in each or each == "oda"}


async def test_what_customers_say_stands_nowhere_in_the_open(service: Libraries, desk: Replica) -> None:
    await desk.article("sugg-secret", title="Quetzal")
    pia = Customer("sugg-pia")
    secret = "Vexillologist"
    await service.send(pia.made(), pia.contact("sugg-19", subject="quetzal", body=secret))
    await desk.shows("sugg-19", "sugg-secret")
    tables = await service.rows("select tablename::text from pg_tables where schemaname = 'public'")
    for (table,) in tables:
        rows: list[Any] = await service.rows(f'select t::text from "{table}" t')
        assert not [row for row in rows if secret.lower() in str(row).lower()], table
        assert not [row for row in rows if secret.encode().hex() in str(row).lower()], table


@pytest.mark.usefixtures("desk")
async def test_of_many_messages_the_last_are_kept(service: Libraries) -> None:
    quin = Customer("sugg-quin")
    await service.send(quin.made(), quin.contact("sugg-20", subject="one"))
    await service.send(*(quin.message("sugg-20", body=f"word{n}") for n in range(12)))
    kept = "select count(*) from said where request_id = 'sugg-20'"
    await until(lambda: _is(service, kept, [(8,)]), what="the first are let go of")


async def _is(service: Libraries, query: str, due: list[tuple[Any, ...]]) -> bool:
    return await service.rows(query) == due
