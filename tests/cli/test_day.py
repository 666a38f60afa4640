"""The generated day: importable, repeatable, lifelike, and near the figures that it is made from."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict

import pytest

from events.imports import IMPORTABLE
from events.lifecycle import Entry, fold
from events.times import to_us
from throughline.command_day import most_eventful
from throughline.day import day
from throughline.day_figures import CALLS_BY_HOUR, KINDS, MENU_SECONDS, at_share
from throughline.day_story import Line
from throughline.spans import DAY_US, HOUR_US

MIDNIGHT_US = 20_412 * DAY_US
MOVES = set(IMPORTABLE) - {"MessageReceived", "FeedbackReceived"}


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return day(MIDNIGHT_US, seed=7)


@pytest.fixture(scope="module")
def by_request(lines: list[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line["request_id"]].append(line)
    return found


def entry(line: Line) -> Entry:
    """The line as the fold takes it."""
    return Entry(
        event_id=line["event_id"],
        type=line["type"],
        source="/imports",
        sequence=None,
        causation_id=line["causation_id"],
        occurred_us=to_us(line["occurred_at"]),
        data=line["data"],
    )


def test_the_same_day_and_seed_make_the_same_lines(lines: list[Line]) -> None:
    assert day(MIDNIGHT_US, seed=7) == lines


def test_another_seed_and_another_day_share_no_event(lines: list[Line]) -> None:
    others = day(MIDNIGHT_US, seed=8) + day(MIDNIGHT_US + DAY_US, seed=7)
    assert not {line["event_id"] for line in lines} & {line["event_id"] for line in others}


def test_every_line_is_what_intake_takes(lines: list[Line]) -> None:
    for line in lines:
        IMPORTABLE[line["type"]].model_validate(line["data"])
    assert len({line["event_id"] for line in lines}) == len(lines)


def test_every_move_is_one_that_the_lifecycle_allows(by_request: dict[str, list[Line]]) -> None:
    for request in by_request.values():
        life = fold([entry(line) for line in request])
        assert {line["event_id"] for line in request if line["type"] in MOVES} <= life.applied
        assert life.residual_us == 0


def test_the_day_has_all_that_can_happen(lines: list[Line]) -> None:
    assert {line["type"] for line in lines} == set(IMPORTABLE)
    assert {line["data"]["channel"] for line in lines if line["type"] == "ContactReceived"} == {
        "voice", "chat", "email", "web", "sms", "social",
    }  # fmt: skip


def test_no_agent_is_on_two_calls_at_once(by_request: dict[str, list[Line]]) -> None:
    calls: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for request in by_request.values():
        if request[0]["data"]["channel"] in ("voice", "chat"):
            for agent_id, start, end in _holdings(request):
                calls[agent_id].append((start, end))
    for held in calls.values():
        held.sort()
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(held))


def _holdings(request: list[Line]) -> list[tuple[str, int, int]]:
    """Who was on the line from when until when; the wrap-up after the talk does not count."""
    found, agent_id, start = [], "", 0
    for line in request:
        at = to_us(line["occurred_at"])
        if line["type"] == "Connected":
            agent_id, start = line["data"]["agent_id"], at
        elif line["type"] in ("Paused", "Resumed") and agent_id:
            found.append((agent_id, start, at))
            start = at
    return found


def test_arrivals_follow_the_logs_hours() -> None:
    received = [line for line in day(MIDNIGHT_US, 3, contacts=4_000) if line["type"] == "ContactReceived"]
    hours = Counter((to_us(line["occurred_at"]) - MIDNIGHT_US) // HOUR_US for line in received)
    for hour, rate in enumerate(CALLS_BY_HOUR):
        assert hours[hour] / 4_000 == pytest.approx(rate / sum(CALLS_BY_HOUR), abs=0.015)


def test_calls_are_given_up_as_often_as_in_the_log() -> None:
    lines = day(MIDNIGHT_US, 4, contacts=4_000)
    calls = {
        line["request_id"] for line in lines if line["type"] == "ContactReceived" and line["data"]["channel"] == "voice"
    }
    gone = sum(line["type"] == "Abandoned" and line["request_id"] in calls for line in lines)
    assert gone / len(calls) == pytest.approx(0.177, abs=0.025)


def test_quantiles_are_read_by_straight_lines() -> None:
    assert at_share(MENU_SECONDS, 0) == 2
    assert at_share(MENU_SECONDS, 1) == 62
    assert at_share(((0.0, 0.0), (0.5, 10.0), (1.0, 20.0)), 0.25) == 5


def test_the_kinds_of_calls_are_all_of_them() -> None:
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1)
    assert statistics.fmean(CALLS_BY_HOUR) * 24 == pytest.approx(1_514, rel=0.01)


def test_the_contact_to_be_shown_is_resolved_and_eventful(by_request: dict[str, list[Line]], lines: list[Line]) -> None:
    kinds = {line["type"] for line in by_request[most_eventful(lines)]}
    assert "Resolved" in kinds
    assert len(kinds & {"Escalated", "Paused", "Transferred", "Reopened"}) >= 2
