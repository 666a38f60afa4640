"""With intake and audit beside it: what was suggested and used stands in the request's timeline, as recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.support.audit import Audits
from tests.support.audit import Replica as Audit
from tests.support.intake import Intakes, contact
from tests.support.kb_search import Libraries
from tests.support.kb_search import Replica as Desk
from tests.support.until import until

TOLD = ["ContactReceived", "SuggestionShown", "MessageReceived", "SuggestionShown", "SuggestionUsed"]


async def test_suggestions_stand_in_the_timeline_as_recorded(
    make_database: Callable[[], str], kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with (
        Intakes(make_database(), tmp_path, kafka, topic_prefix) as gateways,
        Libraries(make_database(), tmp_path, kafka, topic_prefix) as knowledge,
        Audits(make_database(), tmp_path, kafka, topic_prefix) as auditors,
    ):
        intake, desk, audit = await asyncio.gather(gateways.local(), knowledge.local(), auditors.local())
        await desk.article("lost-card", title="Block a lost card")
        await desk.article("new-phone", title="Move the app to a new phone")
        received = (await intake.contact(contact(subject="I lost my card"))).json()
        request_id = received["request_id"]
        await desk.shows(request_id, "lost-card", seconds=40)
        said = {"channel": "chat", "body": "It is about the app on my new phone, the app"}
        message = (await intake.http.post(f"/v1/requests/{request_id}/messages", json=said)).json()
        await until(lambda: is_first(desk, request_id, "new-phone"), 20, "the message changes the list")
        path = f"/v1/requests/{request_id}/suggestions/new-phone/used"
        used = (await desk.call("POST", path, {"agent_id": "a-1"})).json()

        async def all_told() -> bool:
            return await kinds(audit, request_id) == TOLD

        await until(all_told, 40, f"audit tells {TOLD}")
        line = await audit.timeline(request_id)
    shown = [event for event in line["events"] if event["type"] == "SuggestionShown"]
    assert [event["causation_id"] for event in shown] == [received["event_id"], message["event_id"]]
    assert [event["data"]["suggestions"][0]["article_id"] for event in shown] == ["lost-card", "new-phone"]
    ours = [event for event in line["events"] if event["source"] == "/services/kb-search"]
    assert [event["sequence"] for event in ours] == [1, 2, 3]
    assert {event["effect"] for event in ours} == {"recorded"}
    assert (ours[-1]["event_id"], ours[-1]["data"]["place"]) == (used["event_id"], 1)
    assert (line["state"], line["complete"], line["residual_us"]) == ("waiting", True, 0)


async def kinds(audit: Audit, request_id: str) -> list[str]:
    answer = await audit.get(f"/v1/requests/{request_id}/timeline")
    return [event["type"] for event in answer.json()["events"]] if answer.status_code == 200 else []


async def is_first(desk: Desk, request_id: str, article_id: str) -> bool:
    suggested = await desk.suggested(request_id)
    return suggested is not None and suggested[:1] == [article_id]
