"""What a promise's clock says: given a story of a request, when time passes or something happens, then verdicts."""

from __future__ import annotations

import pytest

from escalation.domain.clocks import state_of
from escalation.domain.rules import Rules
from events.contacts.promises import Clock as ClockFact
from events.policies import CalendarVersioned, Day, Window
from events.times import to_us
from tests.escalation.given import HOUR, MINUTE, START, Story, at, promise, rules

TEN = rules(promise(10 * MINUTE))
UNTIL_RESOLVED = promise(10 * MINUTE, stop="Resolved", promise="resolve", paused_in=["customer"], warn_at_percent=None)


def state(story: Story, minute: float) -> str | None:
    (clock,) = story.request.clocks
    return state_of(clock, at(minute))


def fact(story: Story, number: int = -1) -> ClockFact:
    said = story.statements[number].fact
    assert isinstance(said, ClockFact)
    return said


def test_a_promise_kept_in_time_is_met() -> None:
    story = Story(TEN).then("Routed", 1).then("Connected", 2)
    assert story.stated == ["SlaMet"]
    assert state(story, 99) == "met"
    assert (fact(story).consumed_us, fact(story).agent_id) == (2 * MINUTE, "a-1")
    assert story.statements[0].causation_id == "e-3"


def test_the_due_moment_itself_is_in_time_and_a_microsecond_later_is_not() -> None:
    assert Story(TEN).then("Connected", 10).stated == ["SlaWarned", "SlaMet"]
    late = Story(TEN).then("Connected", 10, reading_us=at(10) + 1)
    assert late.stated == ["SlaWarned", "SlaBreached"]
    assert state(late, 10) == "breached"


def test_an_alarm_at_the_moment_is_early_and_a_microsecond_later_is_not() -> None:
    story = Story(TEN)
    assert story.waits(8).stated == []
    story.waits(8 + 1 / MINUTE)
    assert story.stated == ["SlaWarned"]
    assert story.waits(10).stated == ["SlaWarned"]
    assert story.waits(10 + 1 / MINUTE).stated == ["SlaWarned", "SlaBreached"]
    assert to_us(fact(story).due_at) == at(10)
    assert fact(story).consumed_us == 10 * MINUTE


def test_each_is_stated_once_however_often_it_is_looked() -> None:
    story = Story(TEN)
    for minute in (8.5, 9, 11, 12, 13):
        story.waits(minute)
    assert story.then("Connected", 14).stated == ["SlaWarned", "SlaBreached"]
    assert story.waits(99).stated == ["SlaWarned", "SlaBreached"]


def test_what_came_due_unseen_is_stated_with_what_comes_next() -> None:
    assert Story(TEN).then("Connected", 9).stated == ["SlaWarned", "SlaMet"]
    assert Story(TEN).then("Connected", 11).stated == ["SlaWarned", "SlaBreached"]
    assert Story(TEN).then("Abandoned", 11).stated == ["SlaWarned", "SlaBreached"]


@pytest.mark.parametrize("looks", [[], [8.5], [8.5, 10.5], [9, 9.5, 10.1, 10.2]])
def test_when_it_is_looked_does_not_change_what_is_stated(looks: list[float]) -> None:
    story = Story(TEN)
    for minute in looks:
        story.waits(minute)
    story.then("Connected", 11)
    assert story.stated == ["SlaWarned", "SlaBreached"]
    assert {each.event_id for each in story.statements} == {
        each.event_id for each in Story(TEN).then("Connected", 11).statements
    }


def test_a_breach_that_a_late_event_overturns_is_corrected() -> None:
    story = Story(TEN).waits(12).then("Connected", 9.5)
    assert story.stated == ["SlaWarned", "SlaBreached", "SlaMet"]
    assert state(story, 12) == "met"


def test_a_breach_of_a_request_given_up_in_time_is_withdrawn() -> None:
    story = Story(TEN).waits(12).then("Abandoned", 9.5)
    assert story.stated == ["SlaWarned", "SlaBreached", "SlaWithdrawn"]
    assert state(story, 12) is None
    assert story.statements[-1].causation_id == "e-2"
    assert to_us(fact(story).due_at) == at(10)


def test_a_breach_of_a_request_that_was_paused_and_given_up_in_time_is_withdrawn() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).waits(12)
    story.then("Paused", 9, {"reason": "customer"}).then("Abandoned", 30)
    assert (story.stated, state(story, 31)) == (["SlaBreached", "SlaWithdrawn"], None)
    assert to_us(fact(story).due_at) == at(31)


def test_a_breach_that_a_late_pause_overturns_counts_no_longer() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).waits(12)
    assert (story.stated, state(story, 12)) == (["SlaBreached"], "breached")
    story.then("Paused", 9, {"reason": "customer"})
    assert state(story, 12) == "paused"
    story.then("Resumed", 20)
    assert state(story, 20.5) == "running"
    assert story.then("Resolved", 20.9).stated == ["SlaBreached", "SlaMet"]


def test_a_breach_is_not_stated_again_where_its_time_is_up_again() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).waits(12)
    story.then("Paused", 9, {"reason": "customer"}).then("Resumed", 20).waits(22)
    assert (story.stated, state(story, 22)) == (["SlaBreached"], "breached")


def test_a_request_given_up_in_time_has_no_verdict() -> None:
    story = Story(TEN).then("Abandoned", 3)
    assert (story.stated, state(story, 99)) == ([], None)
    assert story.waits(99).stated == []


def test_a_request_given_up_too_late_was_broken_before() -> None:
    story = Story(TEN).waits(11).then("Abandoned", 12)
    assert (story.stated, state(story, 99)) == (["SlaWarned", "SlaBreached"], "breached")


def test_the_clock_stands_still_in_the_pauses_that_are_named() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).then("Paused", 4, {"reason": "customer"})
    assert (state(story, 90), story.request.next_us) == ("paused", None)
    assert story.waits(90).stated == []
    story.then("Resumed", 100)
    assert story.request.clocks[0].due_us == at(106)
    assert story.then("Resolved", 105).stated == ["SlaMet"]
    assert fact(story).consumed_us == 9 * MINUTE


def test_it_runs_on_in_the_pauses_that_are_not_named() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).then("Paused", 4, {"reason": "hold"})
    assert (state(story, 5), story.waits(11).stated) == ("running", ["SlaBreached"])


def test_what_was_broken_before_a_pause_stays_broken() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).then("Paused", 12, {"reason": "customer"})
    assert (story.stated, state(story, 12)) == (["SlaBreached"], "breached")
    story.then("Resumed", 20).then("Resolved", 21)
    assert (story.stated, state(story, 22)) == (["SlaBreached"], "breached")


def test_a_warning_due_before_a_pause_is_stated_with_it() -> None:
    warned = UNTIL_RESOLVED.model_copy(update={"warn_at_percent": 50})
    story = Story(rules(warned)).then("Connected", 1).then("Paused", 6, {"reason": "customer"})
    assert story.stated == ["SlaWarned"]
    assert (fact(story).consumed_us, to_us(fact(story).due_at)) == (5 * MINUTE, at(10))


def test_a_resolution_out_of_a_pause_is_in_time_with_what_is_left() -> None:
    story = Story(rules(UNTIL_RESOLVED)).then("Connected", 1).then("Paused", 4, {"reason": "customer"})
    assert story.then("Resolved", 500).stated == ["SlaMet"]


def test_a_clock_goes_by_the_readings_where_times_were_corrected() -> None:
    """One wrong clock has pushed the request's times ahead by two hours; due times and verdicts know better."""
    story = Story(TEN).then("Routed", 121, reading_us=at(1)).then("Connected", 122, reading_us=at(2))
    assert story.stated == ["SlaMet"]
    assert fact(story).consumed_us == 2 * MINUTE
    assert story.statements[0].floor_us > at(122)


def test_readings_that_go_back_make_no_negative_time() -> None:
    story = Story(TEN).then("Connected", 1, reading_us=at(-5))
    assert (story.stated, fact(story).consumed_us) == (["SlaMet"], 0)


def test_a_promise_of_business_time_counts_open_hours_alone() -> None:
    week: dict[Day, list[Window]] = {
        "tue": [Window(start="22:00", end="22:30")],
        "wed": [Window(start="08:00", end="09:00")],
    }
    calendar = CalendarVersioned(name="days", version=1, time_zone="UTC", week=week)
    by = rules(promise(30 * MINUTE, calendar="days"), calendars=[calendar])
    story = Story(by)
    due_us = START + 9 * HOUR + 46 * MINUTE + 40_000_000 + (30 * MINUTE - 1_000_000_000)
    assert story.request.clocks[0].due_us == due_us
    assert story.then("Connected", 60).stated == ["SlaMet"]
    assert (fact(story).consumed_us, fact(story).calendar, fact(story).calendar_version) == (1_000_000_000, "days", 1)


def test_every_promise_has_a_clock_of_its_own() -> None:
    story = Story(rules(promise(), promise(HOUR, promise="resolve", stop="Resolved")))
    story.then("Connected", 1).then("Resolved", 50)
    assert story.stated == ["SlaMet", "SlaWarned", "SlaMet"]
    assert [clock.terms.promise for clock in story.request.clocks] == ["connect", "resolve"]


def test_a_clock_starts_once_a_cycle_and_anew_with_the_next() -> None:
    by = rules(promise(promise="answer", start="Routed", warn_at_percent=None))
    story = Story(by).then("Routed", 1).then("OfferClosed", 2, {"reason": "declined"}).then("Routed", 3)
    assert [clock.started_us for clock in story.request.clocks] == [at(1)]
    story.then("Connected", 4).then("Resolved", 5).then("Reopened", 6, {}).then("Routed", 7)
    assert [(clock.cycle, clock.started_us) for clock in story.request.clocks] == [(1, at(1)), (2, at(7))]


def test_an_escalation_restarts_no_clock() -> None:
    story = Story(TEN).then("Requeued", 5, {"reason": "escalated", "tier": 2})
    assert [clock.due_us for clock in story.request.clocks] == [at(10)]
    assert story.waits(11).stated == ["SlaWarned", "SlaBreached"]
    assert (fact(story).tier, fact(story).leg) == (2, 2)


def test_a_reopening_starts_no_promise_about_the_receipt() -> None:
    story = Story(TEN).then("Connected", 1).then("Resolved", 2).then("Reopened", 3, {})
    assert story.waits(99).stated == ["SlaMet"]


def test_a_reopening_has_a_promise_where_one_is_made() -> None:
    by = rules(promise(), promise(5 * MINUTE, start="Reopened"))
    story = Story(by).then("Connected", 1).then("Resolved", 2).then("Reopened", 3, {})
    assert story.waits(9).stated == ["SlaMet", "SlaWarned", "SlaBreached"]
    assert fact(story).cycle == 2


def test_a_remark_moves_no_clock() -> None:
    story = Story(TEN).then("Resumed", 1).then("Resolved", 2).then("Connected", 3)
    assert (story.stated, story.request.standing.state) == ([], "resolved")


@pytest.mark.parametrize("by", [Rules(), TEN])
def test_a_message_only_moves_the_last_known_time(by: Rules) -> None:
    story = Story(by)
    clocks = story.request.clocks
    story.then("MessageReceived", 4, {"channel": "sms"})
    assert (story.request.clocks, story.request.last_us) == (clocks, at(4))
    story.waits(20)
    assert all(each.floor_us > at(4) for each in story.statements)
