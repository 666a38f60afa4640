"""The log page after page, and how far it is taken in."""

from __future__ import annotations

from typing import Any

import pytest

from events.times import to_text
from tests.integration.audit.world import World, entries, pages, read_on

pytestmark = pytest.mark.asyncio(loop_scope="session")


def in_order(items: list[dict[str, Any]]) -> bool:
    places = [(topic, int(partition), int(offset)) for topic, partition, offset in _places(items)]
    by_partition: dict[tuple[str, int], list[int]] = {}
    for topic, partition, offset in places:
        by_partition.setdefault((topic, partition), []).append(offset)
    return all(offsets == sorted(offsets) for offsets in by_partition.values())


def _places(items: list[dict[str, Any]]) -> list[list[str]]:
    return [item["position"].split("/") for item in items]


async def test_the_log_has_every_record_in_order_and_marks_duplicates(world: World) -> None:
    items, _ = await read_on(world, limit=17)
    assert len(items) >= len(world.records)
    assert in_order(items)
    assert len({item["position"] for item in items}) == len(items)
    doubled = [item["event_id"] for item in items if item["duplicate"]]
    ids = [item["event_id"] for item in items if item["event_id"] is not None]
    assert sorted(doubled) == sorted(id_ for id_ in set(ids) for _ in range(ids.count(id_) - 1))
    assert len(doubled) == 2


async def test_a_record_is_told_with_the_time_that_it_states_or_by_its_place_alone(world: World) -> None:
    items, _ = await read_on(world, limit=1_000)
    stated = {entry.event_id: entry for life in world.lives.values() for entry in entries(life)}
    for item in items:
        if item["event_id"] in stated:
            entry = stated[item["event_id"]]
            assert (item["occurred_at"], item["raw_occurred_at"]) == (to_text(entry.occurred_us), None)
            assert (item["data"], item["source"], item["sequence"]) == (entry.data, entry.source, entry.sequence)
    (broken,) = [item for item in items if item["event_id"] is None]
    assert (broken["request_id"], broken["duplicate"]) == (None, False)
    (elsewhere,) = [item for item in items if item["position"].startswith("agents/")]
    assert (elsewhere["request_id"], elsewhere["data"]["status"]) == (None, "away")


@pytest.mark.parametrize(
    "query",
    [{"type": "Routed"}, {"topic": "agents"}, {"request_id": "life-3"}, {"type": "Connected", "request_id": "life-2"}],
)
async def test_the_cursor_moves_past_what_a_filter_leaves_out(world: World, query: dict[str, str]) -> None:
    every, _ = await read_on(world, limit=1_000)
    due = [item for item in every if _fits(item, query)]
    items, cursor = await read_on(world, limit=2, **query)
    assert items == due
    rest, _ = await read_on(world, cursor, limit=1_000)
    assert rest == []


def _fits(item: dict[str, Any], query: dict[str, str]) -> bool:
    told = item | {"topic": item["position"].split("/")[0]}
    return all(told[name] == value for name, value in query.items())


async def test_a_topic_and_a_request_that_cannot_meet_give_nothing(world: World) -> None:
    items, _ = await read_on(world, topic="agents", request_id="life-1")
    assert items == []


@pytest.mark.parametrize("cursor", ["x", "W10", "W251bGxd", "WzEsMl0", "!!!", "e30"])
async def test_a_cursor_that_was_never_given_is_refused(world: World, cursor: str) -> None:
    answer = await world.audit.get("/v1/events", cursor=cursor)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


async def test_positions_tell_every_partition_and_come_in_pages(world: World) -> None:
    items = await pages(world, "/v1/positions", limit=2)
    topics = [(item["topic"], item["partition"]) for item in items]
    assert topics == sorted([*(("contacts", n) for n in range(4)), ("agents", 0), ("policies", 0), ("knowledge", 0)])
    assert sum(item["projected"] for item in items) == sum(item["end"] for item in items) >= len(world.records)
    assert {item["lag"] for item in items} == {0}
