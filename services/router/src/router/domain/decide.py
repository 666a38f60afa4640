"""What an order on a request comes to: a move, the answer to a repeat, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from events.contacts import Abandoned, Connected, OfferClosed, Paused, Reopened, Resolved, Resumed, Transferred
from events.lifecycle import State
from events.lifecycle.table import ENDS
from router.domain.commands import Abandon, Accept, Command, Decline, Order, Pause, Reopen, Resolve, Resume, Transfer
from router.domain.moves import Move, Step, closed, followed, marked, move, place, waiting_for_anybody
from router.domain.refusals import NotHis, NotNow, OtherLeg, Refusal
from router.domain.request import Mark, Request, mark_of


@dataclass(frozen=True, slots=True)
class Repeated:
    """It was carried out before, and what it led to still holds."""

    event_id: str


Decision = Move | Repeated | Refusal

_WORKING: Final = frozenset({State.CONNECTED, State.PAUSED})
_OPEN: Final = frozenset(State) - ENDS

BY_AGENT: Final[Mapping[str, frozenset[State]]] = {
    "accept": frozenset({State.OFFERED}),
    "decline": frozenset({State.OFFERED}),
    "pause": frozenset({State.CONNECTED}),
    "resume": frozenset({State.PAUSED}),
    "transfer": _WORKING,
    "resolve": _WORKING,
    "reopen": ENDS,
}
"""In which states an agent's order is possible: narrower than the lifecycle's table, which knows no agents."""

BY_NOBODY: Final[Mapping[str, frozenset[State]]] = {
    "resolve": _OPEN - _WORKING,
    "abandon": _OPEN,
    "reopen": ENDS,
}

LEADS_TO: Final[Mapping[str, State]] = {
    "accept": State.CONNECTED,
    "pause": State.PAUSED,
    "resume": State.CONNECTED,
    "resolve": State.RESOLVED,
    "abandon": State.ABANDONED,
    "reopen": State.WAITING,
}
"""The state while which a repeat is one. Letting go is repeated until the agent is offered the request again, which
`moves.offered` sees to: `decline` and `transfer` are not here."""


def decide(request: Request, command: Command, clock_us: int) -> Decision:
    """What `command` comes to; `clock_us` (µs since 1970) was read with the request held."""
    if (mark := _repeated(request, command)) is not None:
        return Repeated(mark.event_id)
    if (refusal := _refusal(request, command)) is not None:
        return refusal
    return marked(_MOVES[command.verb](request, command, clock_us), command.verb, command.agent_id)


def _repeated(request: Request, command: Order) -> Mark | None:
    mark = request.marks.get(mark_of(command.verb, command.agent_id))
    if mark is None or command.leg not in (None, mark.leg):
        return None
    led = LEADS_TO.get(command.verb)
    if led is None or (request.standing.state, request.standing.leg) == (led, mark.led):
        return mark
    return None


def _refusal(request: Request, command: Order) -> Refusal | None:
    standing = request.standing
    if command.leg not in (None, standing.leg):
        return OtherLeg(command.leg or 0, standing)
    possible = BY_NOBODY if command.agent_id is None else BY_AGENT
    if standing.state not in possible.get(command.verb, frozenset()):
        return NotNow(command.verb, standing, by_holder=standing.state in BY_AGENT.get(command.verb, frozenset()))
    if command.agent_id is not None and standing.agent_id not in (None, command.agent_id):
        return NotHis(command.verb, command.agent_id, standing)
    return None


def _accept(request: Request, command: Accept, clock_us: int) -> Move:
    fact = Connected(**_acted(request, command), policy_version=request.policy_version)
    after = waiting_for_anybody(request)
    return move(request, after, Step(fact, command.event_id, request.moved_by), clock_us=clock_us)


def _decline(request: Request, command: Decline, clock_us: int) -> Move:
    said = followed(request.policy_version) | _said(note=command.reason)
    fact = OfferClosed(**_acted(request, command), reason="declined", **said)
    return closed(request, Step(fact, command.event_id, request.moved_by), clock_us=clock_us)


def _pause(request: Request, command: Pause, clock_us: int) -> Move:
    fact = Paused(**_acted(request, command), reason=command.reason)
    return move(request, request, Step(fact, command.event_id), clock_us=clock_us)


def _resume(request: Request, command: Resume, clock_us: int) -> Move:
    return move(request, request, Step(Resumed(**_acted(request, command)), command.event_id), clock_us=clock_us)


def _resolve(request: Request, command: Resolve, clock_us: int) -> Move:
    articles = None if command.articles is None else list(command.articles)
    said = _said(code=command.code, summary=command.summary, articles=articles)
    fact = Resolved(**_acted(request, command), **said)
    return move(request, waiting_for_anybody(request), Step(fact, command.event_id), clock_us=clock_us)


def _transfer(request: Request, command: Transfer, clock_us: int) -> Move:
    to = command.to
    fact = Transferred(
        **_acted(request, command), to=to, by=command.agent_id, **_said(note=command.note, skills=to.skills)
    )
    skills = request.skills if to.skills is None else tuple(to.skills)
    after = replace(waiting_for_anybody(request), skills=skills, wanted_agent=to.agent_id)
    return move(request, after, Step(fact, command.event_id), clock_us=clock_us)


def _abandon(request: Request, command: Abandon, clock_us: int) -> Move:
    holder = request.standing.agent_id
    fact = Abandoned(**place(request), **_said(agent_id=holder, by=command.by, reason=command.reason))
    return move(request, waiting_for_anybody(request), Step(fact, command.event_id), clock_us=clock_us)


def _reopen(request: Request, command: Reopen, clock_us: int) -> Move:
    fact = Reopened(**_acted(request, command), **_said(reason=command.reason))
    return move(request, waiting_for_anybody(request), Step(fact, command.event_id), clock_us=clock_us)


def _acted(request: Request, command: Order) -> dict[str, Any]:
    """Who acts, and where the request stood: the agent, or else whose program it was."""
    by = command.by if command.agent_id is None else None
    return place(request) | _said(agent_id=command.agent_id, by=by)


def _said(**members: Any) -> dict[str, Any]:
    """What was not said is left out of the event."""
    return {name: value for name, value in members.items() if value is not None}


_MOVES: Final[Mapping[str, Callable[..., Move]]] = {
    "accept": _accept,
    "decline": _decline,
    "pause": _pause,
    "resume": _resume,
    "resolve": _resolve,
    "transfer": _transfer,
    "abandon": _abandon,
    "reopen": _reopen,
}
