"""Which promises are made to whom, by which version of which policy."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.domain.clocks import Terms
from escalation.domain.faults import in_calendar, in_policy
from escalation.domain.rules import BUILT_IN, Rule, Rules
from escalation.domain.versions import next_version
from events.policies import CalendarVersioned, DatedException, Match, Promise, SlaPolicyVersioned, Window
from tests.escalation.given import MINUTE, START, Story, promise, rules

DAYTIME = CalendarVersioned(name="days", version=1, time_zone="UTC", week={"mon": [Window(start="08:00", end="17:00")]})


def promised(by: Rules, at_us: int = START, start: str = "ContactReceived", **contact: Any) -> list[Terms]:
    story = Story(Rules(), **contact)
    return list(by.promised(start, story.request, at_us))


@pytest.mark.parametrize(("priority", "seconds"), [(100, 60), (99, 300), (50, 300), (49, 900), (None, 900)])
def test_the_built_in_promise_goes_by_priority(priority: int | None, seconds: int) -> None:
    (terms,) = promised(Rules(), priority=priority)
    assert (terms.target_us, terms.warn_us) == (seconds * 1_000_000, seconds * 800_000)
    assert (terms.policy, terms.policy_version, terms.escalates) == ("default", 1, False)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(channels=["chat", "voice"]), True),
        (Match(channels=["voice"]), False),
        (Match(queues=["default"]), True),
        (Match(queues=["cards"]), False),
        (Match(tiers=[1]), True),
        (Match(tiers=[2, 3]), False),
        (Match(support_levels=["standard"]), True),
        (Match(support_levels=["gold"]), False),
        (Match(severities=[3]), True),
        (Match(severities=[1, 2]), False),
        (Match(priority_from=0), True),
        (Match(priority_from=1), False),
        (Match(channels=["chat"], queues=["cards"]), False),
        (Match(channels=[]), False),
    ],
)
def test_all_that_a_match_names_must_fit(match: Match, fits: bool) -> None:
    assert bool(promised(rules(promise(match=match)))) == fits


def test_of_the_promises_of_one_name_the_first_that_fits_counts() -> None:
    by = rules(promise(1, match=Match(channels=["voice"])), promise(2), promise(3), promise(4, promise="other"))
    assert [(terms.promise, terms.target_us) for terms in promised(by)] == [("connect", 2), ("other", 4)]


def test_other_policies_go_before_the_default_in_the_order_of_their_names() -> None:
    by = rules(promise(1), promise(9, promise="other"), zebra=[promise(2)], yak=[promise(3)])
    assert [(terms.policy, terms.promise) for terms in promised(by)] == [("yak", "connect"), ("default", "other")]


def test_a_version_holds_from_its_moment_until_the_next() -> None:
    by = Rules()
    for version, from_us in ((2, START), (3, START + MINUTE)):
        content = SlaPolicyVersioned(name="default", version=version, promises=[promise(version)])
        by.add(Rule("sla", content, from_us))
    versions = [
        promised(by, at_us)[0].policy_version for at_us in (START - 1, START, START + MINUTE - 1, START + MINUTE)
    ]
    assert versions == [1, 2, 2, 3]


def test_a_promise_keeps_the_calendar_version_of_its_moment() -> None:
    by = rules(promise(calendar="days"), calendars=[DAYTIME])
    by.add(Rule("calendar", DAYTIME.model_copy(update={"version": 2}), START + 1))
    assert [promised(by, at_us)[0].calendar_version for at_us in (START, START + 1)] == [1, 2]


def test_a_calendar_that_came_later_than_the_contact_counts_from_its_first_version() -> None:
    by = rules(promise(calendar="days"))
    by.add(Rule("calendar", DAYTIME, START + 1))
    assert promised(by)[0].calendar_version == 1


def test_a_version_that_was_read_twice_stands_once() -> None:
    by = rules(promise(1))
    by.add(by.policies["default"][1])
    assert [rule.content.version for rule in by.policies["default"]] == [1, 2]


def test_what_says_the_same_is_no_new_version() -> None:
    by = rules(promise(1))
    same = SlaPolicyVersioned(name="default", version=9, promises=[promise(1, match=None)], by="somebody else")
    newest = by.policies["default"][1].content
    assert next_version(by, "sla", same) == (newest, False)
    other, new = next_version(by, "sla", same.model_copy(update={"promises": [promise(2)]}))
    assert (other.version, new) == (3, True)
    assert next_version(by, "sla", same.model_copy(update={"name": "gold"}))[0].version == 1
    assert next_version(by, "calendar", DAYTIME) == (DAYTIME, True)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"start": "Tuesday"}, "promises.0.start"),
        ({"stop": "Paused"}, "promises.0.stop"),
        ({"start": "Connected", "stop": "Routed"}, "promises.0.stop"),
        ({"start": "Connected", "stop": "Connected"}, "promises.0.stop"),
        ({"target_us": 367 * 86_400_000_000}, "promises.0.target_us"),
        ({"calendar": "nights"}, "promises.0.calendar"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused_by_name(wrong: dict[str, Any], path: str) -> None:
    said = promise(calendar="days").model_dump(exclude_none=True) | wrong
    policy = SlaPolicyVersioned(name="p", version=1, promises=[Promise(**said)])
    assert [field for field, _ in in_policy(policy, {"days"})] == [path]


def test_what_is_built_in_has_no_fault() -> None:
    assert list(in_policy(BUILT_IN, ())) == []


def test_a_policy_has_only_so_many_promises() -> None:
    policy = SlaPolicyVersioned(name="p", version=1, promises=[promise()] * 201)
    assert [field for field, _ in in_policy(policy, ())] == ["promises"]


NEVER = Window(start="24:00", end="12:00")
NO_DAY = DatedException(date="2026-02-30", windows=[NEVER])
HOLIDAY = DatedException(date="2026-12-25", windows=[])


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"time_zone": "Europe/Atlantis"}, ["time_zone"]),
        ({"time_zone": "../../etc/passwd"}, ["time_zone"]),
        ({"week": {}}, ["week"]),
        ({"week": {"mon": []}}, ["week"]),
        ({"week": {"mon": [NEVER]}}, ["week.mon.0.start"]),
        ({"exceptions": [HOLIDAY, HOLIDAY]}, ["exceptions.1.date"]),
        ({"exceptions": [NO_DAY]}, ["exceptions.0.date", "exceptions.0.windows.0.start"]),
        ({"exceptions": [HOLIDAY] * 2_001}, ["exceptions", *(f"exceptions.{n}.date" for n in range(1, 2_001))]),
    ],
)
def test_a_calendar_that_cannot_be_counted_is_refused_by_name(wrong: dict[str, Any], paths: list[str]) -> None:
    calendar = DAYTIME.model_copy(update=wrong)
    assert [field for field, _ in in_calendar(calendar)] == paths


def test_a_plain_calendar_has_no_fault() -> None:
    assert list(in_calendar(DAYTIME)) == []
