"""Lists of requests."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.integration.audit.world import World, pages
from tests.support.serving import headers_for

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_requests_come_newest_received_first_page_after_page(world: World) -> None:
    items = await pages(world, "/v1/requests", limit=7)
    assert items == (await world.audit.json("/v1/requests", limit=1_000))["items"]
    received = [item["received_at"] or "" for item in items]
    assert received == sorted(received, reverse=True)
    assert len({item["request_id"] for item in items}) == len(items) >= 42
    assert items[-1]["request_id"] == "odd"


async def test_an_item_says_what_the_timeline_says(world: World) -> None:
    for item in await pages(world, "/v1/requests"):
        line = await world.audit.timeline(item["request_id"])
        last = line["legs"][-1] if line["legs"] else {}
        told = {name: line[name] for name in item if name not in ("queue", "tier", "agent_id")}
        assert item == told | {name: last.get(name) for name in ("queue", "tier", "agent_id")}


@pytest.mark.parametrize(
    "query",
    [
        {"state": "resolved"},
        {"channel": "chat"},
        {"agent_id": "a-1"},
        {"customer_id": "c-3"},
        {"state": "resolved", "channel": "voice", "agent_id": "a-1"},
    ],
)
async def test_requests_are_chosen_by_what_they_are(world: World, query: dict[str, str]) -> None:
    every = await pages(world, "/v1/requests", limit=1_000)
    due = [item for item in every if all(item[name] == value for name, value in query.items())]
    assert await pages(world, "/v1/requests", limit=3, **query) == due
    assert due


async def test_requests_are_chosen_by_their_receipt_from_included_to_excluded(world: World) -> None:
    every = [item for item in await pages(world, "/v1/requests", limit=1_000) if item["received_at"]]
    first, last = every[20]["received_at"], every[5]["received_at"]
    due = [item for item in every if first <= item["received_at"] < last]
    assert await pages(world, "/v1/requests", from_=first, to=last) == due
    assert len(due) == 15


async def test_q_finds_by_the_beginning_of_ids_and_names(world: World) -> None:
    every = await pages(world, "/v1/requests", limit=1_000)
    members = ("request_id", "customer_id", "agent_id", "queue")
    for q in ("life-1", "c-2", "a-1", "bill", "%", "_", "LIFE"):
        due = [item for item in every if any((item[name] or "").startswith(q) for name in members)]
        assert await pages(world, "/v1/requests", q=q) == due


async def test_a_customers_history_has_all_his_requests_over_all_channels(world: World) -> None:
    history = await pages(world, "/v1/customers/c-3/history", limit=2)
    assert history == await pages(world, "/v1/requests", customer_id="c-3")
    assert len({item["channel"] for item in history}) > 1
    assert await pages(world, "/v1/customers/nobody/history") == []


async def test_a_customers_id_may_be_any_text(world: World) -> None:
    for id_ in ("a/b", "line\nbreak", "ü ?&#%", "/history"):
        answer = await world.audit.http.get(f"/v1/customers/{quote(id_, safe='')}/history", headers=headers_for())
        assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "happy"}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "1.0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"from": "today"}, "from"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_parameter_of_a_list_is_named(world: World, query: dict[str, str], field: str) -> None:
    answer = await world.audit.get("/v1/requests", **query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
