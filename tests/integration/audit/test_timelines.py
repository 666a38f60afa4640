"""Timelines over HTTP, of a log that came over a real Kafka."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.lifecycle import fold, timeline
from tests.integration.audit.world import World, entries

pytestmark = pytest.mark.asyncio(loop_scope="session")


def derived(line: dict[str, Any]) -> dict[str, Any]:
    """A timeline without what the log alone gives: positions and the time of knowledge."""
    events = [{**event, "position": None} for event in line["events"]]
    return {**line, "events": events, "as_of": None}


async def test_each_timeline_is_the_fold_of_what_was_told(world: World) -> None:
    for request_id, records in world.lives.items():
        due = timeline(fold(entries(records)), request_id=request_id, as_of_us=0, open_data=lambda entry: entry.data)
        assert derived(await world.audit.timeline(request_id)) == derived(json.loads(json.dumps(due)))


async def test_positions_are_those_of_the_first_records_and_duplicates_are_left_out(world: World) -> None:
    first = world.lives["life-0"]
    line = await world.audit.timeline("life-0")
    assert len(line["events"]) == len(first)
    kept = await world.service.rows(
        "select topic || '/' || partition || '/' || \"offset\" from projection.records"
        " where request_id = 'life-0' and not duplicate order by 1"
    )
    assert sorted(event["position"] for event in line["events"]) == [position for (position,) in kept]
    doubled = await world.service.rows("select count(*) from projection.records where duplicate")
    assert doubled == [(2,)]


async def test_the_same_knowledge_gives_the_same_bytes(world: World) -> None:
    path = "/v1/requests/life-1/timeline"
    line = await world.audit.timeline("life-1")
    answers = [await world.audit.get(path), await world.audit.get(path, as_of=line["as_of"])]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["content-type"] == "application/json"


async def test_as_of_gives_what_the_log_held_then(world: World) -> None:
    for request_id, records in world.lives.items():
        early = records[: len(records) // 2]
        line = await world.audit.timeline(request_id, as_of=world.then)
        assert {event["event_id"] for event in line["events"]} == {entry.event_id for entry in entries(early)}
        assert line["as_of"] <= world.then


async def test_a_timeline_is_404_before_its_first_record_and_for_an_unknown_request(world: World) -> None:
    before = await world.audit.get("/v1/requests/life-1/timeline", as_of="2001-01-01T00:00:00Z")
    unknown = await world.audit.get("/v1/requests/nobody/timeline")
    assert [answer.status_code for answer in (before, unknown)] == [404, 404]
    assert before.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    "query", [{"as_of": "yesterday"}, {"as_of": ""}, {"as_of": "2026-01-01T00:00:00"}, {"colour": "x"}]
)
async def test_a_wrong_parameter_of_a_timeline_is_named(world: World, query: dict[str, str]) -> None:
    answer = await world.audit.get("/v1/requests/life-1/timeline", **query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in query


async def test_a_broken_record_leaves_no_timeline_and_an_incomplete_one_says_so(world: World) -> None:
    assert (await world.audit.get("/v1/requests/broken/timeline")).status_code == 404
    line = await world.audit.timeline("odd")
    assert (line["state"], line["complete"], line["legs"]) == (None, False, [])
    assert {event["effect"] for event in line["events"]} == {"recorded"}
