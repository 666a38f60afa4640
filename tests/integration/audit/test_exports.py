"""Exports."""

from __future__ import annotations

import csv
import io
import json

import pytest

from events.times import to_text
from tests.audit.given import MINUTE, START
from tests.integration.audit.world import FROM, TO, World, read_on

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
