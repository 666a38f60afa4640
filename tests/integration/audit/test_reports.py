"""Reports: PostgreSQL counts what the library says."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from chassis.records import Record
from events.lifecycle import Cohort, fold
from events.lifecycle.report import GROUPINGS, report, summarise
from events.times import to_text, to_us
from tests.integration.audit.world import FROM, TO, World, entries

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
