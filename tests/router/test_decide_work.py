"""Orders on a request at work and at its end: each happens, is refused, is repeated, is late."""

from __future__ import annotations

import pytest

from events.contacts.past import Target
from router.domain.refusals import NotHis, NotNow
from router.domain.request import Request
from tests.router.deciding import PLACE, decided, happens, is_repeat_of
from tests.router.given import (
    abandon,
    abandoned,
    accept,
    after,
    connected_to,
    decline,
    facts_of,
    offered_to,
    pause,
    paused_by,
    reopen,
    resolve,
    resolved_by,
    resume,
    transfer,
    waiting,
)


@pytest.mark.parametrize("reason", ["hold", "customer", "third_party"])
def test_a_pause_keeps_the_agent_and_says_why(reason: str) -> None:
    move = happens(connected_to("ada"), pause("ada", reason))
    assert facts_of(move) == [("Paused", PLACE | {"agent_id": "ada", "reason": reason})]
    standing = move.after.standing
    assert (standing.state, standing.agent_id, standing.reason, move.frees) == ("paused", "ada", reason, False)


def test_only_his_own_work_is_paused_and_resumed() -> None:
    connected, paused = connected_to("ada"), paused_by("ada")
    assert decided(connected, pause("bob")) == NotHis("pause", "bob", connected.standing)
    assert decided(paused, resume("bob")) == NotHis("resume", "bob", paused.standing)


def test_an_offer_is_neither_paused_nor_resumed() -> None:
    request = offered_to("ada")
    assert decided(request, pause("ada")) == NotNow("pause", request.standing)
    assert decided(request, resume("ada")) == NotNow("resume", request.standing)


def test_a_pause_is_repeated_while_it_lasts() -> None:
    first = pause("ada")
    is_repeat_of(after(connected_to("ada"), first), first, pause("ada"))


def test_a_second_pause_is_a_pause_of_its_own() -> None:
    assert facts_of(happens(after(paused_by("ada"), resume("ada")), pause("ada")))[0][0] == "Paused"


def test_a_pause_is_late_after_the_resolution() -> None:
    request = resolved_by("ada")
    assert decided(request, pause("ada")) == NotNow("pause", request.standing)


def test_work_goes_on_after_a_pause() -> None:
    move = happens(paused_by("ada"), resume("ada"))
    assert facts_of(move) == [("Resumed", PLACE | {"agent_id": "ada"})]
    assert (move.after.standing.state, move.after.standing.reason) == ("connected", None)


def test_a_resume_is_repeated_until_the_next_pause() -> None:
    first = resume("ada")
    request = after(paused_by("ada"), first)
    is_repeat_of(request, first, resume("ada"))
    second = resume("ada")
    assert happens(after(request, pause("ada")), second).steps[0].event_id == second.event_id


def test_who_never_paused_does_not_resume() -> None:
    request = connected_to("ada")
    assert decided(request, resume("ada")) == NotNow("resume", request.standing)


def test_a_resume_is_late_after_a_transfer() -> None:
    request = after(paused_by("ada"), transfer("ada"))
    assert decided(request, resume("ada")) == NotNow("resume", request.standing)


@pytest.mark.parametrize("request_", [connected_to("ada"), paused_by("ada")], ids=["connected", "paused"])
def test_the_holder_resolves(request_: Request) -> None:
    move = happens(request_, resolve("ada", code="paid", summary="paid back", articles=("refunds",)))
    said = {"agent_id": "ada", "code": "paid", "summary": "paid back", "articles": ["refunds"]}
    assert facts_of(move) == [("Resolved", PLACE | said)]
    assert (move.after.standing.state, move.after.standing.agent_id, move.frees) == ("resolved", None, True)


@pytest.mark.parametrize("request_", [waiting(), offered_to("ada")], ids=["waiting", "offered"])
def test_nobody_in_particular_resolves_what_nobody_has_accepted(request_: Request) -> None:
    move = happens(request_, resolve(None, code="self-service"))
    assert facts_of(move) == [("Resolved", PLACE | {"code": "self-service"})]


@pytest.mark.parametrize("request_", [connected_to("ada"), paused_by("ada")], ids=["connected", "paused"])
def test_what_an_agent_has_is_not_resolved_by_nobody(request_: Request) -> None:
    assert decided(request_, resolve(None)) == NotNow("resolve", request_.standing, by_holder=True)


@pytest.mark.parametrize("request_", [waiting(), offered_to("ada")], ids=["waiting", "offered"])
def test_an_agent_resolves_nothing_that_he_has_not_accepted(request_: Request) -> None:
    assert decided(request_, resolve("ada")) == NotNow("resolve", request_.standing)


def test_another_agent_does_not_resolve() -> None:
    request = connected_to("ada")
    assert decided(request, resolve("bob")) == NotHis("resolve", "bob", request.standing)


def test_a_resolution_is_repeated_until_the_request_is_reopened() -> None:
    first = resolve("ada")
    request = after(connected_to("ada"), first)
    is_repeat_of(request, first, resolve("ada"))
    again = after(request, reopen())
    assert decided(again, resolve("ada")) == NotNow("resolve", again.standing)


def test_a_resolution_of_an_earlier_cycle_is_no_repeat() -> None:
    request = after(resolved_by("ada"), reopen(), resolve(None))
    assert decided(request, resolve("ada")) == NotNow("resolve", request.standing)


def test_a_resolution_is_late_after_a_transfer() -> None:
    request = after(connected_to("ada"), transfer("ada"))
    assert decided(request, resolve("ada")) == NotNow("resolve", request.standing)


@pytest.mark.parametrize(
    ("to", "queue", "tier", "skills", "wanted"),
    [
        (Target(agent_id="bob"), "default", 1, ("billing",), "bob"),
        (Target(queue="cards"), "cards", 1, ("billing",), None),
        (Target(skills=["refunds"]), "default", 1, ("refunds",), None),
        (Target(tier=3), "default", 3, ("billing",), None),
    ],
    ids=["agent", "queue", "skills", "tier"],
)
def test_a_transfer_changes_what_it_names_and_nothing_else(
    to: Target, queue: str, tier: int, skills: tuple[str, ...], wanted: str | None
) -> None:
    after_ = happens(connected_to("ada", skills=["billing"]), transfer("ada", to=to)).after
    standing = after_.standing
    assert (standing.state, standing.leg, standing.agent_id) == ("waiting", 2, None)
    assert (standing.queue, standing.tier, after_.skills, after_.wanted_agent) == (queue, tier, skills, wanted)


def test_a_transfer_says_who_had_it_where_it_was_and_where_it_goes() -> None:
    move = happens(paused_by("ada"), transfer("ada", note="needs a lawyer"))
    said = {"agent_id": "ada", "by": "ada", "to": {"queue": "cards"}, "note": "needs a lawyer"}
    assert facts_of(move) == [("Transferred", PLACE | said)]
    assert move.frees


def test_only_the_holder_transfers() -> None:
    request = connected_to("ada")
    assert decided(request, transfer("bob")) == NotHis("transfer", "bob", request.standing)


def test_an_offer_is_not_transferred() -> None:
    request = offered_to("ada")
    assert decided(request, transfer("ada")) == NotNow("transfer", request.standing)


def test_a_transfer_is_repeated_until_he_is_offered_the_request_again() -> None:
    first = transfer("ada")
    gone = after(connected_to("ada"), first)
    for request in (gone, offered_to("bob", gone), after(offered_to("bob", gone), accept("bob"))):
        is_repeat_of(request, first, transfer("ada"))
    back = offered_to("ada", gone)
    assert decided(back, transfer("ada")) == NotNow("transfer", back.standing)


def test_a_transfer_is_late_after_the_resolution() -> None:
    request = resolved_by("ada")
    assert decided(request, transfer("ada")) == NotNow("transfer", request.standing)


def test_who_takes_a_transferred_request_over_is_no_longer_waited_for() -> None:
    request = offered_to("bob", after(connected_to("ada"), transfer("ada", to=Target(agent_id="bob"))))
    assert after(request, accept("bob")).wanted_agent is None


def test_a_wanted_agent_who_declines_gives_the_request_back_to_the_queue() -> None:
    request = offered_to("bob", after(connected_to("ada"), transfer("ada", to=Target(agent_id="bob"))))
    assert request.wanted_agent == "bob"
    assert after(request, decline("bob")).wanted_agent is None


@pytest.mark.parametrize(
    ("request_", "holder"),
    [(waiting(), None), (offered_to("ada"), "ada"), (connected_to("ada"), "ada"), (paused_by("ada"), "ada")],
    ids=["waiting", "offered", "connected", "paused"],
)
def test_the_customer_may_go_at_any_time(request_: Request, holder: str | None) -> None:
    move = happens(request_, abandon(reason="hung up"))
    who = {} if holder is None else {"agent_id": holder}
    assert facts_of(move) == [("Abandoned", PLACE | who | {"reason": "hung up"})]
    assert (move.after.standing.state, move.frees) == ("abandoned", holder is not None)


def test_nobody_gives_up_twice_or_after_the_resolution() -> None:
    request = resolved_by("ada")
    assert decided(request, abandon()) == NotNow("abandon", request.standing)


def test_an_abandonment_is_repeated() -> None:
    first = abandon()
    is_repeat_of(after(waiting(), first), first, abandon())


def test_an_abandonment_of_an_earlier_cycle_is_no_repeat() -> None:
    request = after(abandoned(), reopen(), resolve(None))
    assert decided(request, abandon()) == NotNow("abandon", request.standing)


@pytest.mark.parametrize("agent_id", [None, "ada"])
@pytest.mark.parametrize("request_", [resolved_by("ada"), abandoned()], ids=["resolved", "abandoned"])
def test_what_is_closed_is_reopened_by_anybody(request_: Request, agent_id: str | None) -> None:
    move = happens(request_, reopen(agent_id, reason="it came back"))
    ((name, data),) = facts_of(move)
    assert (name, data["reason"], data.get("agent_id")) == ("Reopened", "it came back", agent_id)
    standing = move.after.standing
    assert (standing.state, standing.leg, standing.cycle, standing.tier) == ("waiting", 2, 2, 1)


def test_a_reopened_request_keeps_its_tier_and_queue() -> None:
    closed = after(offered_to("bob", after(connected_to("ada"), transfer("ada", to=Target(tier=3)))), abandon())
    standing = happens(closed, reopen()).after.standing
    assert (standing.queue, standing.tier) == ("default", 3)


def test_what_is_open_is_not_reopened() -> None:
    request = waiting()
    assert decided(request, reopen()) == NotNow("reopen", request.standing)


def test_a_reopening_is_repeated_while_the_request_waits_in_that_leg() -> None:
    first = reopen()
    request = after(resolved_by("ada"), first)
    is_repeat_of(request, first, reopen())
    late = offered_to("ada", request)
    assert decided(late, reopen()) == NotNow("reopen", late.standing)


def test_a_reopening_by_another_is_no_repeat() -> None:
    request = after(resolved_by("ada"), reopen("ada"))
    assert decided(request, reopen()) == NotNow("reopen", request.standing)
