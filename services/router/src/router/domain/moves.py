"""How a request is moved: each function gives the events of one move and where the request stands after it.

Nothing here asks whether a move is allowed: `after` is folded with the lifecycle's own `evolve`, and a move that the
table does not know raises `Impossible`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, Protocol

from events.base import Fact
from events.contacts import Connected, Decision, OfferClosed, Requeued, Routed
from events.lifecycle import Standing, evolve
from events.lifecycle.table import ENDS
from events.times import to_text
from router.domain.request import Mark, Request, Unit, mark_of

Reason = Literal["declined", "expired", "withdrawn"]
Why = Literal["escalated", "agent_lost", "classified"]

# Who lets an offer go is passed over for a while; who was called away did not refuse it.
_PASSED_OVER: Final = frozenset({"declined", "expired"})


class Impossible(RuntimeError):
    """A move that the lifecycle's table does not allow: its caller did not look where the request stands."""


class Terms(Protocol):
    """What an offer takes of its queue's policy."""

    @property
    def version(self) -> int: ...
    @property
    def offer_timeout_us(self) -> int: ...
    @property
    def reoffer_after_us(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One event to state. Without `causation_id` nothing but an order caused it."""

    fact: Fact
    event_id: str
    causation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What happens to one request in one transaction.

    `takes` is a unit that must be free for it, `frees` says that the unit it held is free afterwards. `clock_us` is the
    reading of the clock, and the events' times are not before `floor_us` (a cause, a deadline). The times in `after`
    are as before: `stamped` puts them in.
    """

    before: Request
    steps: tuple[Step, ...]
    after: Request
    clock_us: int
    floor_us: int = 0
    takes: Unit | None = None

    @property
    def frees(self) -> bool:
        """Whether somebody had it who has it no longer."""
        return self.before.standing.agent_id is not None and self.after.standing.agent_id is None


def offered(
    request: Request,
    *,
    unit: Unit,
    decision: Decision,
    policy: Terms,
    auto_accept: bool,
    ids: Sequence[str],
    clock_us: int,
) -> Move:
    """An offer to the unit's agent; with `auto_accept` he is connected at once, and a second id is used."""
    lapses_us = clock_us + policy.offer_timeout_us
    terms: dict[str, Any] = {"agent_id": unit.agent_id, "unit": unit.n, "policy_version": policy.version}
    routed = Routed(**place(request), **terms, offer_lapses_at=to_text(lapses_us), decision=decision)
    steps = [Step(routed, ids[0], request.moved_by)]
    if auto_accept:
        steps.append(Step(Connected(**place(request), **terms, auto_accepted=True), ids[1], ids[0]))
    after = replace(
        request,
        lapses_us=None if auto_accept else lapses_us,
        reoffer_after_us=policy.reoffer_after_us,
        policy_version=policy.version,
        routed_version=request.version + 1,
        wanted_agent=None if auto_accept else request.wanted_agent,
        avoid={} if auto_accept else request.avoid,
        marks=_forgotten(request.marks, unit.agent_id),
    )
    made = move(request, after, *steps, clock_us=clock_us, takes=unit)
    return marked(made, "accept", unit.agent_id) if auto_accept else made


def offer_closed(request: Request, reason: Reason, *, event_id: str, clock_us: int, floor_us: int = 0) -> Move:
    """The offer is over; who declined it or let it lapse is passed over for a while, and no longer waited for."""
    agent_id = request.standing.agent_id
    fact = OfferClosed(**place(request), **followed(request.policy_version), reason=reason, agent_id=agent_id)
    return closed(request, Step(fact, event_id, request.moved_by), clock_us=clock_us, floor_us=floor_us)


def closed(request: Request, step: Step, *, clock_us: int, floor_us: int = 0) -> Move:
    """As `offer_closed`, with the event given."""
    after = replace(request, lapses_us=None, reoffer_after_us=None)
    agent_id = request.standing.agent_id
    if agent_id is not None and getattr(step.fact, "reason", None) in _PASSED_OVER:
        again_us = clock_us + (request.reoffer_after_us or 0)
        after = replace(after, wanted_agent=None, avoid={**request.avoid, agent_id: again_us})
    return move(request, after, step, clock_us=clock_us, floor_us=floor_us)


def requeued(
    request: Request,
    reason: Why,
    *,
    event_id: str,
    clock_us: int,
    tier: int | None = None,
    cause: str | None = None,
    floor_us: int = 0,
    policy_version: int | None = None,
) -> Move:
    """Back to waiting, for anybody who fits, at `tier` where one is given; `policy_version` where a policy said so."""
    was = request.standing
    there = place(request) | {"from_queue": was.queue, "from_tier": was.tier}
    there |= {} if tier is None else {"tier": tier}
    there |= {} if was.agent_id is None else {"agent_id": was.agent_id}
    fact = Requeued(**there, **followed(policy_version), reason=reason)
    return move(
        request, waiting_for_anybody(request), Step(fact, event_id, cause), clock_us=clock_us, floor_us=floor_us
    )


def waiting_for_anybody(request: Request) -> Request:
    """The request without what bound it to agents."""
    return replace(request, lapses_us=None, reoffer_after_us=None, wanted_agent=None, avoid={})


def move(
    request: Request, after: Request, *steps: Step, clock_us: int, floor_us: int = 0, takes: Unit | None = None
) -> Move:
    """The steps folded over the request's standing; `after` is given with what else they change."""
    standing = request.standing
    for step in steps:
        standing = _evolved(standing, step.fact)
    whole = replace(after, standing=standing, version=request.version + len(steps), moved_by=steps[-1].event_id)
    return Move(before=request, steps=steps, after=whole, clock_us=clock_us, floor_us=floor_us, takes=takes)


def marked(done: Move, verb: str, agent_id: str | None) -> Move:
    """The move with a note of whose order it was, so that a repeat of the order is known."""
    mark = Mark(done.steps[-1].event_id, done.before.standing.leg, done.after.standing.leg)
    return replace(done, after=replace(done.after, marks={**done.after.marks, mark_of(verb, agent_id): mark}))


def place(request: Request) -> dict[str, Any]:
    """Where the request stood when it happened, as its events say it."""
    standing = request.standing
    return {
        "leg": standing.leg,
        "cycle": standing.cycle,
        "queue": standing.queue,
        "tier": standing.tier,
        "channel": request.channel,
    }


def followed(policy_version: int | None) -> dict[str, Any]:
    """The version of the queue's policy that an event followed, as events say it."""
    return {} if policy_version is None else {"policy_version": policy_version}


def stamped(move: Move, times: Sequence[int]) -> Request:
    """`move.after` with the times that its events were given, in µs since 1970."""
    after = move.after
    return replace(
        after,
        last_us=max(after.last_us, times[-1]),
        offered_us=after.offered_us if move.takes is None else times[0],
        closed_us=times[-1] if after.standing.state in ENDS else None,
        closing_logged=False,
    )


class Said(NamedTuple):
    """An event as the lifecycle takes it."""

    type: str
    data: Mapping[str, Any]


def _evolved(standing: Standing, fact: Fact) -> Standing:
    name = type(fact).__name__
    after = evolve(standing, Said(name, fact.model_dump(exclude_unset=True)))
    if after is standing:
        raise Impossible(f"{name} moves no request that is {standing.state}")
    return after


def _forgotten(marks: Mapping[str, Mark], agent_id: str) -> dict[str, Mark]:
    """Once he is offered it again, what he let go of before is a matter of the past."""
    over = {mark_of(verb, agent_id) for verb in ("decline", "transfer")}
    return {name: mark for name, mark in marks.items() if name not in over}
