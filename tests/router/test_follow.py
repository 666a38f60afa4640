"""What others' events come to. Given a request, when something is stated of it elsewhere, then this."""

from __future__ import annotations

from typing import Any

import pytest

from events.key_ids import of_customer
from router.domain.follow import ESCALATION, FollowUp, begun, classified, escalated, followed_up
from router.domain.moves import Move
from router.domain.request import Request
from tests.router.given import (
    NOW,
    abandoned,
    accept,
    after,
    connected_to,
    decline,
    done,
    envelope,
    event_id,
    facts_of,
    offered_to,
    paused_by,
    reopen,
    resolved_by,
    waiting,
)

LATER = NOW + 60_000_000
HOUR_US = 3_600_000_000


def escalation(request: Request, *, to_tier: int = 2, cycle: int | None = 1, at: int = LATER) -> Move | None:
    said = envelope("Escalated", ESCALATION, at=at, number=500)
    data: dict[str, Any] = {"to_tier": to_tier, "cycle": cycle, "leg": 1}
    return escalated(request, said, data, event_id=event_id(501), clock_us=LATER)


def follow_up(request: Request, *, occurred_us: int, logged_us: int, clock_us: int = LATER) -> Move | None:
    return followed_up(
        request, FollowUp(event_id(600), occurred_us, logged_us), event_id=event_id(601), clock_us=clock_us
    )


def test_a_contact_that_asks_for_nothing_waits_in_the_default_queue_at_tier_1() -> None:
    request = begun(envelope("ContactReceived"), {"channel": "chat", "customer_id": "c-1"})
    standing = request.standing
    assert (standing.state, standing.leg, standing.cycle, standing.queue, standing.tier) == (
        "waiting",
        1,
        1,
        "default",
        1,
    )
    assert (request.priority, request.severity, request.support_level, request.skills) == (0, 3, "standard", ())
    assert (request.version, request.received_us, request.last_us) == (0, NOW, NOW)
    assert request.key_id == of_customer("c-1")


def test_a_contact_waits_for_what_it_asks_for() -> None:
    asked = {"queue": "cards", "skills": ["fraud"], "priority": 100, "severity": 1, "support_level": "gold"}
    request = waiting(**asked, language="de", channel="email")
    assert (request.standing.queue, request.skills, request.priority, request.severity) == ("cards", ("fraud",), 100, 1)
    assert (request.support_level, request.language, request.channel) == ("gold", "de", "email")


def test_what_is_said_of_a_request_is_sealed_under_the_key_that_its_contact_was() -> None:
    assert waiting(sealed={"key_id": "request:r-1", "nonce": "", "box": ""}).key_id == "request:r-1"


def test_a_start_tier_other_than_1_is_stated_at_once() -> None:
    request = waiting()
    move = classified(request, 3, policy_version=4, event_id=event_id(2), clock_us=LATER)
    ((name, data),) = facts_of(move)
    assert (name, data["reason"], data["tier"], data["from_tier"], data["leg"]) == ("Requeued", "classified", 3, 1, 1)
    assert move is not None
    assert (move.steps[0].causation_id, data["policy_version"]) == (event_id(1), 4)
    assert (move.after.standing.tier, move.after.standing.leg) == (3, 2)


def test_tier_1_needs_no_stating() -> None:
    assert classified(waiting(), 1, policy_version=4, event_id=event_id(2), clock_us=LATER) is None


@pytest.mark.parametrize(
    ("request_", "holder"),
    [(waiting(), None), (offered_to("ada"), "ada"), (connected_to("ada"), "ada"), (paused_by("ada"), "ada")],
    ids=["waiting", "offered", "connected", "paused"],
)
def test_an_escalation_takes_effect_whoever_has_the_request(request_: Request, holder: str | None) -> None:
    move = escalation(request_)
    ((name, data),) = facts_of(move)
    who = {} if holder is None else {"agent_id": holder}
    assert (name, data) == (
        "Requeued",
        {"reason": "escalated", "tier": 2, "queue": "default", "leg": 1, "cycle": 1, "channel": "voice"}
        | {"from_queue": "default", "from_tier": 1}
        | who,
    )
    assert move is not None
    assert (move.steps[0].causation_id, move.floor_us) == (event_id(500), LATER + 1)
    assert (move.after.standing.state, move.after.standing.tier, move.after.standing.agent_id) == ("waiting", 2, None)
    assert move.frees == (holder is not None)


@pytest.mark.parametrize("closed", [resolved_by(), abandoned()], ids=["resolved", "abandoned"])
def test_an_escalation_after_the_end_has_no_effect(closed: Request) -> None:
    assert escalation(closed) is None


def test_an_escalation_of_another_cycle_has_no_effect() -> None:
    request = after(resolved_by(), reopen())
    assert escalation(request, cycle=1) is None
    assert escalation(request, cycle=None) is None
    assert escalation(request, cycle=2) is not None


def test_an_escalation_that_comes_twice_takes_effect_once() -> None:
    assert escalation(done(escalation(connected_to()))) is None


def test_an_escalation_to_a_tier_that_is_reached_already_has_no_effect() -> None:
    assert escalation(done(escalation(waiting(), to_tier=3)), to_tier=2) is None


def test_an_escalation_of_an_earlier_leg_takes_effect_in_its_cycle() -> None:
    assert escalation(after(offered_to("ada"), decline("ada"))) is not None


def test_an_escalated_request_is_for_anybody_of_its_tier() -> None:
    request = after(offered_to("ada"), decline("ada"))
    assert request.avoid
    escalated_ = done(escalation(request))
    assert (escalated_.avoid, escalated_.wanted_agent) == ({}, None)


@pytest.mark.parametrize("closed", [resolved_by(), abandoned()], ids=["resolved", "abandoned"])
def test_a_follow_up_reopens_what_is_closed(closed: Request) -> None:
    move = follow_up(closed, occurred_us=LATER, logged_us=LATER)
    ((name, data),) = facts_of(move)
    assert (name, data["message_event_id"]) == ("Reopened", event_id(600))
    assert move is not None
    assert (move.steps[0].causation_id, move.floor_us) == (event_id(600), LATER + 1)
    assert (move.after.standing.state, move.after.standing.cycle) == ("waiting", 2)


@pytest.mark.parametrize("open_", [waiting(), offered_to(), connected_to(), paused_by()])
def test_a_follow_up_on_an_open_request_moves_nothing(open_: Request) -> None:
    assert follow_up(open_, occurred_us=LATER, logged_us=LATER) is None


def test_a_message_that_was_there_before_the_closing_does_not_reopen() -> None:
    closed = resolved_by()
    assert closed.closed_us is not None
    before = closed.closed_us - 10_000
    assert follow_up(closed, occurred_us=before, logged_us=before) is None


def test_one_clock_that_is_behind_swallows_no_follow_up() -> None:
    closed = resolved_by()
    assert follow_up(closed, occurred_us=NOW - 2 * HOUR_US, logged_us=LATER) is not None
    assert follow_up(closed, occurred_us=LATER, logged_us=NOW - 2 * HOUR_US) is not None


def test_a_router_whose_clock_is_ahead_swallows_no_follow_up_once_its_closing_is_in_the_log() -> None:
    closed = resolved_by()
    assert closed.closed_us is not None
    before = closed.closed_us - 2 * HOUR_US
    assert follow_up(closed, occurred_us=before, logged_us=before) is None
    logged = Request(**{name: getattr(closed, name) for name in Request.__slots__} | {"closing_logged": True})
    assert follow_up(logged, occurred_us=before, logged_us=before) is not None


def test_the_logs_time_is_whole_milliseconds_and_so_within_the_last_one_it_says_nothing() -> None:
    closed = resolved_by()
    assert closed.closed_us is not None
    before, same_millisecond = closed.closed_us - 1, closed.closed_us - 999
    assert follow_up(closed, occurred_us=before, logged_us=same_millisecond) is not None
    assert follow_up(closed, occurred_us=before, logged_us=same_millisecond - 1) is None


def test_whoever_is_connected_after_a_reopening_ends_the_matter_of_the_closing() -> None:
    reopened = done(follow_up(resolved_by(), occurred_us=LATER, logged_us=LATER))
    assert (reopened.closed_us, reopened.closing_logged) == (None, False)
    assert after(offered_to("ada", reopened), accept("ada")).standing.state == "connected"
