"""What audit answers over HTTP about a log that came over a real Kafka."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from audit.domain.reading import entry_of, read
from chassis.records import Record
from events.lifecycle import Cohort, Entry, fold, timeline
from events.lifecycle.report import GROUPINGS, report, summarise
from events.times import to_text, to_us
from local_stack.postgres import execute
from tests.audit.given import CONTACT, MINUTE, START, Writer, event_id
from tests.integration.audit.world import Person, lives
from tests.support.audit import Audits, Replica, audits
from tests.support.servers import delete_topics
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FROM, TO = to_text(START - MINUTE), to_text(START + 1_000 * MINUTE)


@dataclass
class World:
    """One audit that everything was told to, and what it was told."""

    service: Audits
    audit: Replica
    lives: dict[str, list[Record]]
    then: str
    """A moment when just the first half of every life was known."""
    person: Person
    records: list[Record]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres: str, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Told in two halves, each taken in before the other is sent."""
    name, prefix = f"t_{uuid4().hex}", f"t{uuid4().hex[:10]}."
    execute(postgres, [f"CREATE DATABASE {name}"])
    folder: Path = tmp_path_factory.mktemp("audit")
    async with audits(urlunsplit(urlsplit(postgres)._replace(path=f"/{name}")), folder, kafka, prefix) as service:
        audit = await service.local()
        told = lives(random.Random(20), 40)
        early = [record for life in told for record in life[: len(life) // 2]]
        late = [record for life in told for record in life[len(life) // 2 :]]
        await service.send(early)
        await audit.drained()
        ((known_us,),) = await service.rows("select max(known_us) from projection.records")
        person = Person("c-sealed")
        others = [*_odd(), *_sealed(person)]
        await service.send([*late, early[0], late[0], *others])
        await audit.drained()
        by_id = {f"life-{number}": life for number, life in enumerate(told)}
        everything = [*early, *late, early[0], late[0], *[each for each in others if each.topic != "keys"]]
        yield World(service, audit, by_id, to_text(known_us), person, everything)
    delete_topics(kafka, prefix)
    execute(postgres, [f"DROP DATABASE {name} WITH (FORCE)"])


def _odd() -> list[Record]:
    writer = Writer()
    return [
        writer.event("Routed", subject="broken", value=b"{"),
        writer.event("Pondered", {"over": "tea"}, subject="odd"),
        writer.event("Routed", {"agent_id": "a-1"}, subject="odd", minute=2),
        Writer("agents").event("PresenceChanged", {"agent_id": "a-1", "status": "away"}, subject="a-1"),
    ]


def _sealed(person: Person) -> list[Record]:
    contact = CONTACT | {"customer": {"id": "c-sealed", "name": "Ada"}, "subject": "my card", "customer_id": "c-sealed"}
    message = {"channel": "chat", "body": "hello?"}
    writer = Writer()
    return [
        person.made(),
        person.says(writer, "ContactReceived", contact, subject="sealed", id_=event_id(901), minute=5_000),
        person.says(writer, "MessageReceived", message, subject="sealed", id_=event_id(902), minute=5_001),
    ]


def entries(records: list[Record]) -> list[Entry]:
    statements = [read(record.headers, record.value) for record in records]
    return [entry_of(statement.envelope, statement.data) for statement in statements]


def derived(line: dict[str, Any]) -> dict[str, Any]:
    """A timeline without what the log alone gives: positions and the time of knowledge."""
    events = [{**event, "position": None} for event in line["events"]]
    return {**line, "events": events, "as_of": None}


# --- timelines


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


# --- personal data


async def test_personal_data_are_opened_for_tokens_that_may_see_them(world: World) -> None:
    first, second = (await world.audit.timeline("sealed"))["events"]
    assert first["data"]["customer"] == {"id": "c-sealed", "name": "Ada"}
    assert first["data"]["subject"] == "my card"
    assert second["data"]["body"] == "hello?"


async def test_without_the_scope_data_come_without_what_says_something_of_a_person(world: World) -> None:
    answer = await world.audit.get("/v1/requests/sealed/timeline", token="reader")
    first, second = answer.json()["events"]
    assert first["data"]["customer"] == {"id": "c-sealed"}
    assert not {"subject", "sealed"} & first["data"].keys()
    assert second["data"] == {"channel": "chat"}
    listed = await world.audit.get("/v1/events", token="reader", request_id="sealed")
    assert all("sealed" not in item["data"] and "body" not in item["data"] for item in listed.json()["items"])


@pytest.mark.parametrize(("token", "status"), [("gateway", 403), ("unknown", 401)])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/requests/life-1/timeline",
        "/v1/requests",
        "/v1/customers/c-1/history",
        "/v1/reports/durations",
        "/v1/events",
        "/v1/events/stream",
        "/v1/positions",
        "/v1/exports/events",
    ],
)
async def test_nothing_is_told_to_who_may_not_ask(world: World, path: str, token: str, status: int) -> None:
    assert (await world.audit.get(path, token=token)).status_code == status


async def test_a_key_that_comes_late_opens_what_came_before_it_and_its_end_closes_it_again(world: World) -> None:
    late = Person("c-late")
    contact = {"channel": "chat", "customer": {"id": "c-late", "name": "Grace"}}
    received = late.says(Writer(), "ContactReceived", contact, subject="late", id_=event_id(903), minute=6_000)
    await world.service.send([received])
    await world.audit.drained()

    async def customer() -> Any:
        return (await world.audit.timeline("late"))["events"][0]["data"]["customer"]

    assert await customer() == {"id": "c-late"}
    await world.service.send([late.made()])
    await until(lambda: _is(customer, {"id": "c-late", "name": "Grace"}))
    await world.service.send([late.destroyed()])
    await until(lambda: _is(customer, {"id": "c-late"}))


async def _is(ask: Any, due: Any) -> bool:
    return bool(await ask() == due)


# --- lists


async def pages(world: World, path: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await world.audit.json(path, cursor=cursor, **query)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


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


# --- reports


def due_report(records: list[list[Record]], cohort: Cohort, from_us: int, to_us: int, group_by: list[str]) -> Any:
    summaries = [summarise(fold(entries(life))) for life in records]
    found = report(summaries, cohort=cohort, from_us=from_us, to_us=to_us, group_by=group_by)
    return json.loads(json.dumps(found))


async def reported(world: World, **query: Any) -> Any:
    return (await world.audit.json("/v1/reports/durations", **query))["groups"]


GROUPS: list[list[str]] = [[], *([name] for name in GROUPINGS), ["channel", "queue"], ["queue", "tier", "agent_id"]]


@pytest.mark.parametrize("cohort", list(Cohort))
@pytest.mark.parametrize("group_by", GROUPS, ids=",".join)
async def test_the_databases_report_is_the_librarys(world: World, cohort: Cohort, group_by: list[str]) -> None:
    told = list(world.lives.values())
    headline = [us for life in told if (us := getattr(fold(entries(life)), f"{cohort}_us")) is not None]
    draw = random.Random(len(group_by))
    for first, last in [(to_us(FROM), to_us(TO)), sorted(draw.sample(headline, 2)), (headline[0], headline[0])]:
        span = {"from_": to_text(first), "to": to_text(last)}
        got = await reported(world, cohort=cohort, group_by=",".join(group_by) or None, **span)
        assert got == due_report(told, cohort, first, last, group_by)


async def test_a_report_as_of_then_is_the_one_that_was_given_then(world: World) -> None:
    early = [life[: len(life) // 2] for life in world.lives.values()]
    late = list(world.lives.values())
    answers = set()
    for group_by in ([], ["channel"], ["queue", "tier", "agent_id"]):
        for cohort in Cohort:
            query = {"from_": FROM, "to": TO, "cohort": cohort, "group_by": ",".join(group_by)}
            got = await reported(world, as_of=world.then, **query)
            assert got == due_report(early, cohort, to_us(FROM), to_us(TO), group_by)
            answers.add(got == due_report(late, cohort, to_us(FROM), to_us(TO), group_by))
    assert answers == {False}


async def test_a_report_says_what_it_answers_and_its_as_of_gives_it_again(world: World) -> None:
    query = {"from_": FROM, "to": TO, "group_by": "channel,tier", "tz": "Europe/Zurich"}
    got = await world.audit.json("/v1/reports/durations", **query)
    assert (got["from"], got["to"], got["cohort"]) == (FROM, TO, "received")
    assert (got["group_by"], got["tz"]) == (["channel", "tier"], "Europe/Zurich")
    assert await world.audit.json("/v1/reports/durations", as_of=got["as_of"], **query) == got


async def test_a_report_of_a_time_before_all_knowledge_is_empty(world: World) -> None:
    assert await reported(world, from_=FROM, to=TO, as_of="2001-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"to": TO}, "from"),
        ({"from": FROM}, "to"),
        ({"from": TO, "to": FROM}, "to"),
        ({"from": FROM, "to": TO, "cohort": "closed"}, "cohort"),
        ({"from": FROM, "to": TO, "group_by": "channel,colour"}, "group_by"),
        ({"from": FROM, "to": TO, "group_by": "channel,channel"}, "group_by"),
        ({"from": FROM, "to": TO, "tz": "Mars/Olympus"}, "tz"),
        ({"from": FROM, "to": TO, "tz": "../etc/passwd"}, "tz"),
        ({"from": FROM, "to": TO, "as_of": "now"}, "as_of"),
        ({"from": FROM, "to": TO, "state": "resolved"}, "state"),
    ],
)
async def test_a_wrong_parameter_of_a_report_is_named(world: World, query: dict[str, str], field: str) -> None:
    answer = await world.audit.get("/v1/reports/durations", **query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


# --- the log


async def read_on(world: World, cursor: str | None = None, **query: Any) -> tuple[list[dict[str, Any]], str]:
    """All items from a cursor on, until it stays where it is."""
    items: list[dict[str, Any]] = []
    while True:
        page = await world.audit.json("/v1/events", cursor=cursor, **query)
        items += page["items"]
        if page["next_cursor"] == cursor:
            assert page["items"] == []
            return items, page["next_cursor"]
        cursor = page["next_cursor"]


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


# --- exports


async def test_events_are_exported_as_lines_of_json(world: World) -> None:
    answer = await world.audit.get("/v1/exports/events")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    every, _ = await read_on(world, limit=1_000)
    assert [json.loads(line) for line in answer.text.splitlines()] == every


async def test_events_are_exported_by_the_time_that_they_state(world: World) -> None:
    first, last = to_text(START + 10 * MINUTE), to_text(START + 20 * MINUTE)
    answer = await world.audit.get("/v1/exports/events", from_=first, to=last)
    every, _ = await read_on(world, limit=1_000)
    due = [item for item in every if item["occurred_at"] is not None and first <= item["occurred_at"] < last]
    assert [json.loads(line) for line in answer.text.splitlines()] == due
    assert due


async def test_events_as_csv_have_a_column_for_each_member(world: World) -> None:
    answer = await world.audit.get("/v1/exports/events", format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    every, _ = await read_on(world, limit=1_000)
    assert [row["position"] for row in rows] == [item["position"] for item in every]
    assert [json.loads(row["data"] or "null") for row in rows] == [item["data"] for item in every]
    assert {row["duplicate"] for row in rows} == {"true", "false"}


async def test_timelines_are_exported_from_the_one_received_first_on(world: World) -> None:
    answer = await world.audit.get("/v1/exports/timelines", from_=FROM, to=TO)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["request_id"] for line in lines] == list(world.lives)
    assert lines[3] == await world.audit.timeline("life-3")
    whole = await world.audit.get("/v1/exports/timelines")
    assert len(whole.text.splitlines()) > len(lines)


async def test_timelines_as_csv_have_the_numbers(world: World) -> None:
    answer = await world.audit.get("/v1/exports/timelines", format="csv", from_=FROM, to=TO)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    for row, request_id in zip(rows, world.lives, strict=True):
        line = await world.audit.timeline(request_id)
        assert row["request_id"] == request_id
        for name, us in line["durations"].items():
            assert row[name] == ("" if us is None else str(us))
        assert row["time_in_waiting_us"] == str(line["time_in"]["waiting_us"])
        assert row["residual_us"] == "0"


async def test_personal_data_stay_out_of_the_exports_of_those_who_may_not_see_them(world: World) -> None:
    for path in ("/v1/exports/events", "/v1/exports/timelines"):
        assert "my card" in (await world.audit.get(path)).text
        shown = (await world.audit.get(path, token="reader")).text
        assert "c-sealed" in shown
        assert "my card" not in shown
        assert 'sealed":{' not in shown


@pytest.mark.parametrize("format_", ["parquet", "ocel"])
async def test_formats_that_are_to_come_are_refused_by_name(world: World, format_: str) -> None:
    answer = await world.audit.get("/v1/exports/timelines", format=format_)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "format"
    assert format_ in error["reason"]


# --- the rest


async def test_the_residual_is_looked_up_and_is_0(world: World) -> None:
    async def shown() -> str:
        lines = (await world.audit.http.get("/metrics")).text.splitlines()
        return next(line for line in lines if line.startswith("throughline_residual_us "))

    assert await shown() == "throughline_residual_us 0.0"
    await world.service.rows("update projection.requests set residual_us = -7 where request_id = 'odd'")
    await until(lambda: _is(shown, "throughline_residual_us 7.0"), 15)
    await world.service.rows("update projection.requests set residual_us = 0 where request_id = 'odd'")
    await until(lambda: _is(shown, "throughline_residual_us 0.0"), 15)


async def test_what_was_odd_is_counted(world: World) -> None:
    lines = (await world.audit.http.get("/metrics")).text.splitlines()
    counts = dict(line.split() for line in lines if line.startswith("throughline_audit_"))
    assert counts["throughline_audit_duplicates_total"] == "2.0"
    assert counts["throughline_audit_unreadable_total"] == "1.0"
