"""Requests in any state, as the router's own moves bring them there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from events.contacts import Decision
from events.contacts.past import Target
from events.envelope import Envelope
from events.times import to_text
from router.domain.commands import Abandon, Accept, Command, Decline, Pause, Reopen, Resolve, Resume, Transfer
from router.domain.decide import decide
from router.domain.follow import INTAKE, begun
from router.domain.moves import Move, offered, stamped
from router.domain.policies import Policy
from router.domain.request import Request, Unit

NOW = 1_790_000_000_000_000
POLICY = Policy(queue="default")
DECISION = Decision(decided_at=to_text(NOW), policy_version=1, candidates=[], excluded=[])


def event_id(n: int) -> str:
    return f"00000000-0000-7000-8000-{n:012d}"


def envelope(type_: str, source: str = INTAKE, *, at: int = NOW, number: int = 1, request_id: str = "r-1") -> Envelope:
    return Envelope(event_id(number), type_, 1, source, request_id, at, request_id, number)


def waiting(**facts: Any) -> Request:
    """A request that has just begun."""
    return begun(envelope("ContactReceived"), {"channel": "voice", "customer_id": "c-1"} | facts)


def done(move: object, at: int | None = None) -> Request:
    """The request after a move; its events are stamped as they would be, from `at` on."""
    assert isinstance(move, Move), move
    first = max(at or move.clock_us, move.floor_us, move.before.last_us + 1)
    return stamped(move, [first + n for n in range(len(move.steps))])


def offering(request: Request, agent_id: str = "ada", *, clock_us: int = NOW, auto_accept: bool = False) -> Move:
    ids = [event_id(request.version + 100), event_id(request.version + 101)]
    unit = Unit(agent_id, request.channel, 0)
    return offered(
        request, unit=unit, decision=DECISION, policy=POLICY, auto_accept=auto_accept, ids=ids, clock_us=clock_us
    )


def offered_to(agent_id: str = "ada", request: Request | None = None, **facts: Any) -> Request:
    return done(offering(request or waiting(**facts), agent_id))


def connected_to(agent_id: str = "ada", **facts: Any) -> Request:
    return after(offered_to(agent_id, **facts), accept(agent_id))


def paused_by(agent_id: str = "ada", **facts: Any) -> Request:
    return after(connected_to(agent_id, **facts), pause(agent_id))


def resolved_by(agent_id: str = "ada") -> Request:
    return after(connected_to(agent_id), resolve(agent_id))


def abandoned() -> Request:
    return after(waiting(), abandon())


def after(request: Request, *commands: Command) -> Request:
    """The request after these orders, each of which must be carried out."""
    for command in commands:
        request = done(decide(request, command, request.last_us + 1_000))
    return request


def facts_of(move: object) -> list[tuple[str, dict[str, Any]]]:
    """The events of a move: type and data."""
    assert isinstance(move, Move), move
    return [(type(step.fact).__name__, step.fact.model_dump(exclude_unset=True)) for step in move.steps]


def types_of(moves: Iterable[Move]) -> list[str]:
    return [name for move in moves for name, _ in facts_of(move)]


def accept(agent_id: str = "ada", **given: Any) -> Accept:
    return Accept(**_order(given, agent_id))


def decline(agent_id: str = "ada", **given: Any) -> Decline:
    return Decline(**_order(given, agent_id))


def pause(agent_id: str = "ada", reason: Any = "hold", **given: Any) -> Pause:
    return Pause(**_order(given, agent_id), reason=reason)


def resume(agent_id: str = "ada", **given: Any) -> Resume:
    return Resume(**_order(given, agent_id))


def resolve(agent_id: str | None = "ada", **given: Any) -> Resolve:
    return Resolve(**_order(given, agent_id))


def transfer(agent_id: str = "ada", *, to: Target | None = None, **given: Any) -> Transfer:
    return Transfer(**_order(given, agent_id), to=to or Target(queue="cards"))


def abandon(**given: Any) -> Abandon:
    return Abandon(**_order(given, None))


def reopen(agent_id: str | None = None, **given: Any) -> Reopen:
    return Reopen(**_order(given, agent_id))


_numbers = iter(range(1_000, 10**9))


def _order(given: dict[str, Any], agent_id: str | None) -> dict[str, Any]:
    """A repeat of an order brings an id of its own, as each call does."""
    return {"event_id": event_id(next(_numbers)), "agent_id": agent_id} | given
