"""Orders on an offer: each happens, is refused, is repeated, is late; and what all orders have in common."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from events.lifecycle import State
from events.lifecycle.table import TRANSITIONS
from router.domain.commands import Command
from router.domain.decide import BY_AGENT, BY_NOBODY, LEADS_TO, Repeated
from router.domain.refusals import NotHis, NotNow, OtherLeg
from router.domain.request import Request
from tests.router.deciding import LATER, PLACE, decided, happens, is_repeat_of
from tests.router.given import (
    abandon,
    abandoned,
    accept,
    after,
    connected_to,
    decline,
    done,
    facts_of,
    offered_to,
    offering,
    pause,
    paused_by,
    reopen,
    resolve,
    resolved_by,
    resume,
    transfer,
    waiting,
)


def test_whoever_is_offered_a_request_is_connected_by_accepting() -> None:
    move = happens(offered_to("ada"), accept("ada"))
    assert facts_of(move) == [("Connected", PLACE | {"agent_id": "ada", "policy_version": 1})]
    assert (move.after.standing.state, move.after.standing.agent_id) == ("connected", "ada")
    assert move.after.lapses_us is None
    assert not move.frees


def test_a_connection_names_the_offer_as_its_cause() -> None:
    request = offered_to("ada")
    assert happens(request, accept("ada")).steps[0].causation_id == request.moved_by


def test_nobody_accepts_what_another_is_offered() -> None:
    request = offered_to("ada")
    assert decided(request, accept("bob")) == NotHis("accept", "bob", request.standing)


def test_nobody_accepts_what_still_waits() -> None:
    request = waiting()
    assert decided(request, accept("ada")) == NotNow("accept", request.standing)


def test_an_accept_repeated_is_the_first_one() -> None:
    first = accept("ada")
    is_repeat_of(after(offered_to("ada"), first), first, accept("ada"))


def test_an_accept_is_repeated_after_a_pause_that_is_over() -> None:
    first = accept("ada")
    is_repeat_of(after(offered_to("ada"), first, pause(), resume()), first, accept("ada"))


def test_an_accept_is_no_repeat_while_paused() -> None:
    request = paused_by("ada")
    assert decided(request, accept("ada")) == NotNow("accept", request.standing)


def test_an_accept_of_an_earlier_leg_is_no_repeat() -> None:
    request = offered_to("bob", after(connected_to("ada"), transfer("ada")))
    assert decided(request, accept("ada")) == NotHis("accept", "ada", request.standing)


def test_who_accepts_by_himself_may_say_so_again() -> None:
    move = offering(waiting(), "ada", auto_accept=True)
    assert decided(done(move), accept("ada")) == Repeated(move.steps[1].event_id)


@pytest.mark.parametrize("late", [abandoned(), resolved_by("ada")], ids=["abandoned", "resolved"])
def test_an_accept_after_the_end_is_too_late(late: Request) -> None:
    assert decided(late, accept("ada")) == NotNow("accept", late.standing)


def test_a_declined_offer_goes_on_waiting_in_a_new_leg() -> None:
    move = happens(offered_to("ada"), decline("ada", reason="at lunch"))
    said = {"reason": "declined", "agent_id": "ada", "note": "at lunch", "policy_version": 1}
    assert facts_of(move) == [("OfferClosed", PLACE | said)]
    assert (move.after.standing.state, move.after.standing.leg, move.frees) == ("waiting", 2, True)


def test_who_declines_is_passed_over_for_the_time_that_the_offer_named() -> None:
    move = happens(offered_to("ada"), decline("ada"))
    assert move.after.avoid == {"ada": LATER + 10_000_000}


def test_nobody_declines_for_another() -> None:
    request = offered_to("ada")
    assert decided(request, decline("bob")) == NotHis("decline", "bob", request.standing)


def test_what_was_accepted_is_not_declined() -> None:
    request = connected_to("ada")
    assert decided(request, decline("ada")) == NotNow("decline", request.standing)


def test_a_decline_is_repeated_while_others_have_the_request() -> None:
    first = decline("ada")
    with_bob = offered_to("bob", after(offered_to("ada"), first))
    for request in (with_bob, after(with_bob, accept("bob")), after(with_bob, accept("bob"), resolve("bob"))):
        is_repeat_of(request, first, decline("ada"))


def test_a_decline_is_no_repeat_once_he_is_offered_the_request_again() -> None:
    request = offered_to("ada", after(offered_to("ada"), decline("ada")))
    second = decline("ada")
    assert happens(request, second).steps[0].event_id == second.event_id


def test_a_decline_is_late_when_the_customer_has_gone() -> None:
    request = after(offered_to("ada"), abandon())
    assert decided(request, decline("ada")) == NotNow("decline", request.standing)


ON_LEGS: list[tuple[Request, Callable[..., Command]]] = [
    (offered_to(), accept),
    (offered_to(), decline),
    (connected_to(), pause),
    (paused_by(), resume),
    (connected_to(), resolve),
    (connected_to(), transfer),
    (waiting(), abandon),
    (resolved_by(), reopen),
]


@pytest.mark.parametrize(("request_", "order"), ON_LEGS, ids=[order.__name__ for _, order in ON_LEGS])
def test_an_order_about_another_leg_is_refused_and_about_the_present_one_is_not(
    request_: Request, order: Callable[..., Command]
) -> None:
    assert decided(request_, order(leg=2)) == OtherLeg(2, request_.standing)
    happens(request_, order(leg=1))


def test_a_repeat_names_the_leg_that_the_first_one_was_about() -> None:
    first = decline("ada", leg=1)
    request = after(offered_to("ada"), first)
    is_repeat_of(request, first, decline("ada", leg=1))
    assert decided(request, decline("ada", leg=2)) == NotNow("decline", request.standing)


_EVENTS = {"accept": "Connected", "decline": "OfferClosed", "pause": "Paused", "resume": "Resumed"}
_EVENTS |= {"resolve": "Resolved", "transfer": "Transferred", "abandon": "Abandoned", "reopen": "Reopened"}


@pytest.mark.parametrize("table", [BY_AGENT, BY_NOBODY], ids=["by agent", "by nobody"])
def test_no_order_is_possible_where_the_lifecycle_does_not_allow_its_event(
    table: dict[str, frozenset[State]],
) -> None:
    for verb, states in table.items():
        assert all(_EVENTS[verb] in TRANSITIONS[state] for state in states), verb


def test_each_order_leads_where_the_lifecycle_says() -> None:
    for verb, led in LEADS_TO.items():
        states = BY_AGENT.get(verb, frozenset()) | BY_NOBODY.get(verb, frozenset())
        assert {TRANSITIONS[state][_EVENTS[verb]] for state in states} == {led}, verb
