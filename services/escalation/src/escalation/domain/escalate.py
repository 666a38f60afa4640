"""Which tier must help next: the decision on an escalation, asked for by somebody or led to by a broken promise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from escalation.domain.clocks import Clock
from escalation.domain.request import TOP_TIER, Change, Pending, Request, Statement
from escalation.domain.verdicts import id_of
from events.contacts.promises import Escalated


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Somebody asks for a higher tier: `to_tier`, or the next one. `event_id` is for the Escalated."""

    event_id: str
    by: str
    reason: str
    to_tier: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The request is resolved or abandoned."""


@dataclass(frozen=True, slots=True)
class AtTheTop:
    """There is no higher tier."""


@dataclass(frozen=True, slots=True)
class NotHigher:
    """The tier that was named is not above the request's."""

    tier: int


@dataclass(frozen=True, slots=True)
class AlreadyPending:
    """An escalation of this request is on its way: the answer is that one's."""

    pending: Pending


@dataclass(frozen=True, slots=True)
class Decided:
    """It must go to a higher tier."""

    change: Change


Decision = Decided | AlreadyPending | Closed | AtTheTop | NotHigher


def decide(request: Request, order: Escalate) -> Decision:
    """What comes of the order, as the request is known to stand."""
    standing = request.standing
    if request.closed:
        return Closed()
    if standing.tier >= TOP_TIER:
        return AtTheTop()
    if order.to_tier is not None and order.to_tier <= standing.tier:
        return NotHigher(standing.tier)
    if request.pending is not None:
        return AlreadyPending(request.pending)
    fact = Escalated(**_place(request, order.to_tier), reason=order.reason, by=order.by)
    return _decided(request, Statement(fact, order.event_id, request.last_us + 1))


def by_promise(request: Request, clock: Clock, breach: Statement) -> tuple[Request, tuple[Statement, ...]]:
    """A broken promise leads to the next tier, unless that is where it goes already, or there is none."""
    if request.closed or request.standing.tier >= TOP_TIER or request.pending is not None:
        return request, ()
    terms = clock.terms
    fact = Escalated(
        **_place(request, None),
        by=f"promise:{terms.promise}",
        promise=terms.promise,
        policy=terms.policy,
        policy_version=terms.policy_version,
    )
    event_id = id_of(request.request_id, clock, "escalated")
    decided = _decided(request, Statement(fact, event_id, breach.floor_us + 1, breach.event_id))
    return decided.change.request, decided.change.statements


def _decided(request: Request, statement: Statement) -> Decided:
    assert isinstance(statement.fact, Escalated)
    pending = Pending(statement.event_id, statement.fact.to_tier)
    return Decided(Change(replace(request, pending=pending), (statement,)))


def _place(request: Request, to_tier: int | None) -> dict[str, Any]:
    """Where it is decided on, and where to: the router applies it in this cycle alone."""
    standing = request.standing
    place = {
        "to_tier": to_tier or standing.tier + 1,
        "from_tier": standing.tier,
        "cycle": standing.cycle,
        "leg": standing.leg,
        "queue": standing.queue,
        "agent_id": standing.agent_id,
    }
    return {name: value for name, value in place.items() if value}
