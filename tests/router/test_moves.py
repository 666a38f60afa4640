"""How a request is moved: the events of each move, and where the request stands after it."""

from __future__ import annotations

import pytest

from events.contacts.past import Target
from router.domain.moves import Impossible, Reason, offer_closed, requeued, stamped
from router.domain.request import Mark, Unit, mark_of
from tests.router.given import (
    NOW,
    after,
    connected_to,
    decline,
    done,
    event_id,
    facts_of,
    offered_to,
    offering,
    resolved_by,
    transfer,
    waiting,
)

UNIT = Unit("ada", "voice", 0)
PLACE = {"leg": 1, "cycle": 1, "queue": "default", "tier": 1, "channel": "voice"}


def test_an_offer_names_the_unit_the_policy_and_the_reason_of_the_choice() -> None:
    move = offering(waiting(), "ada")
    ((name, data),) = facts_of(move)
    assert name == "Routed"
    assert data.pop("decision")["policy_version"] == 1
    lapses = {"offer_lapses_at": "2026-09-21T14:13:50.000000Z"}
    assert data == PLACE | {"agent_id": "ada", "unit": 0, "policy_version": 1} | lapses
    assert (move.takes, move.after.lapses_us, move.after.routed_version) == (UNIT, NOW + 30_000_000, 1)
    assert not move.frees


def test_an_offer_is_caused_by_what_made_the_request_wait() -> None:
    request = waiting()
    assert offering(request).steps[0].causation_id == request.moved_by == event_id(1)


def test_who_accepts_by_himself_is_connected_in_the_same_move() -> None:
    move = offering(waiting(), "ada", auto_accept=True)
    assert [name for name, _ in facts_of(move)] == ["Routed", "Connected"]
    assert facts_of(move)[1][1]["auto_accepted"] is True
    assert move.steps[1].causation_id == move.steps[0].event_id
    assert (move.after.standing.state, move.after.version, move.after.lapses_us) == ("connected", 2, None)


def test_a_new_offer_to_an_agent_makes_his_letting_go_a_matter_of_the_past() -> None:
    request = after(offered_to("ada"), decline("ada"))
    assert mark_of("decline", "ada") in request.marks
    assert mark_of("decline", "ada") in offered_to("bob", request).marks
    assert mark_of("decline", "ada") not in offered_to("ada", request).marks


@pytest.mark.parametrize(("reason", "passed_over"), [("declined", True), ("expired", True), ("withdrawn", False)])
def test_who_lets_an_offer_go_is_passed_over_and_who_was_called_away_is_not(reason: Reason, passed_over: bool) -> None:
    move = offer_closed(offered_to("ada"), reason, event_id=event_id(9), clock_us=NOW)
    assert facts_of(move)[0][1] == PLACE | {"reason": reason, "agent_id": "ada", "policy_version": 1}
    assert move.after.avoid == ({"ada": NOW + 10_000_000} if passed_over else {})
    assert (move.after.lapses_us, move.frees) == (None, True)


def test_a_wanted_agent_who_was_called_away_is_waited_for_on() -> None:
    wanted = offered_to("bob", after(connected_to("ada"), transfer("ada", to=Target(agent_id="bob"))))
    assert offer_closed(wanted, "withdrawn", event_id=event_id(9), clock_us=NOW).after.wanted_agent == "bob"
    assert offer_closed(wanted, "expired", event_id=event_id(9), clock_us=NOW).after.wanted_agent is None


def test_an_offer_that_is_closed_names_the_offer_as_its_cause() -> None:
    request = offered_to("ada")
    move = offer_closed(request, "expired", event_id=event_id(9), clock_us=NOW, floor_us=NOW + 5)
    assert (move.steps[0].causation_id, move.floor_us) == (request.moved_by, NOW + 5)


def test_a_request_whose_agent_is_lost_waits_for_another_at_its_tier() -> None:
    move = requeued(connected_to("ada"), "agent_lost", event_id=event_id(9), clock_us=NOW)
    ((_, data),) = facts_of(move)
    assert (data["reason"], data["agent_id"], data["tier"], data["from_tier"]) == ("agent_lost", "ada", 1, 1)
    assert (move.after.standing.state, move.after.standing.leg, move.frees) == ("waiting", 2, True)


def test_what_the_lifecycle_does_not_allow_is_no_move() -> None:
    with pytest.raises(Impossible, match="OfferClosed moves no request that is resolved"):
        offer_closed(resolved_by(), "expired", event_id=event_id(9), clock_us=NOW)


def test_events_give_the_request_their_times() -> None:
    offered = stamped(offering(waiting()), [NOW + 7])
    assert (offered.offered_us, offered.last_us, offered.closed_us) == (NOW + 7, NOW + 7, None)
    resolved = resolved_by()
    assert resolved.closed_us == resolved.last_us


def test_a_mark_keeps_the_leg_of_the_order_and_the_leg_that_it_led_to() -> None:
    first = decline("ada")
    assert after(offered_to("ada"), first).marks == {mark_of("decline", "ada"): Mark(first.event_id, 1, 2)}


def test_each_move_counts_its_events() -> None:
    assert done(offering(waiting(), auto_accept=True)).version == 2
    assert connected_to("ada").version == 2
