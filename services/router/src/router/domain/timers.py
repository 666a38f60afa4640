"""What falls due by itself: offers that lapse, offers to agents who have gone, contacts of agents who stay away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from events.lifecycle.table import State
from router.domain.agents import OFFLINE, Agent
from router.domain.deadlines import Pending
from router.domain.moves import Move, offer_closed, requeued
from router.domain.request import Request


class Kind(StrEnum):
    """What falls due."""

    LAPSED = "lapsed"
    """An offer that nobody answered."""
    GONE = "gone"
    """An offer to an agent who went offline: due at once."""
    LOST = "lost"
    """A contact of an agent who has been offline for longer than the grace."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something about a request's leg that falls due by the clock at `due_us`, `span_us` after it began (µs)."""

    kind: Kind
    request_id: str
    leg: int
    due_us: int
    span_us: int

    @property
    def pending(self) -> Pending:
        """What the deadlines watch. An agent who came back and went again has another time, so another key."""
        return Pending(f"{self.kind} {self.request_id} {self.leg} {self.due_us}", self.due_us, self.span_us)


def closing(due: Due, request: Request, agent: Agent | None, *, event_id: str, clock_us: int) -> Move | None:
    """The move that it comes to, with the request and its agent as they stand; None where it is so no longer.

    The event is not before the deadline by the events' own times either, whatever the clock shows.
    """
    standing = request.standing
    if standing.leg != due.leg:
        return None
    if due.kind is Kind.LAPSED:
        if standing.state is not State.OFFERED or request.offered_us is None:
            return None
        floor_us = request.offered_us + due.span_us
        return offer_closed(request, "expired", event_id=event_id, clock_us=clock_us, floor_us=floor_us)
    if agent is None or agent.agent_id != standing.agent_id or agent.presence != OFFLINE:
        return None
    return _left(due, request, agent, event_id, clock_us)


def _left(due: Due, request: Request, agent: Agent, event_id: str, clock_us: int) -> Move | None:
    state = request.standing.state
    if due.kind is Kind.GONE and state is State.OFFERED:
        floor_us = agent.presence_us + 1
        return offer_closed(request, "withdrawn", event_id=event_id, clock_us=clock_us, floor_us=floor_us)
    if due.kind is Kind.LOST and state is not State.OFFERED and agent.offline_at_us == due.due_us - due.span_us:
        floor_us = agent.presence_us + max(1, due.span_us)
        return requeued(request, "agent_lost", event_id=event_id, clock_us=clock_us, floor_us=floor_us)
    return None
