"""What others' events come to: requests begin, are escalated, and are reopened by what follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chassis.clock import Clock
from events.envelope import Envelope
from router.app.moved import Applied, waits
from router.domain.follow import FollowUp, begun, classified, escalated, followed_up, heard
from router.domain.moves import Move
from router.domain.policies import Newcomer, Policy, start_tier
from router.domain.request import Request

AfterCommit = Callable[[], None]


class RequestBook(Protocol):
    """One transaction that holds the streams of all requests that it is asked about."""

    async def begin(self, request: Request) -> Policy | None:
        """Enters a new request; its queue's policy, or None where it is known already."""
        ...

    async def find(self, request_id: str) -> Request | None:
        """The request as it stands."""
        ...

    async def hear(self, request_id: str, occurred_us: int) -> None:
        """Notes that something was stated of it at that time."""
        ...

    async def see_closed(self, request_id: str, version: int) -> None:
        """Notes that the closing event of this version has been seen in the log."""
        ...

    async def apply(self, move: Move) -> Applied:
        """Writes a move."""
        ...


class Following:
    """Takes up the events of intake and escalation.

    Each method gives what is to be done after the commit, None for nothing.
    """

    def __init__(self, clock: Clock, ids: Callable[[], str], told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit that gives somebody something to do."""
        self._clock = clock
        self._ids = ids
        self._told = told

    async def begin(self, book: RequestBook, envelope: Envelope, data: Mapping[str, Any]) -> AfterCommit | None:
        """ContactReceived: the request waits, at its start tier."""
        request = begun(envelope, data)
        policy = await book.begin(request)
        if policy is None:
            return None
        move = classified(
            request,
            _tier(policy, request),
            policy_version=policy.version,
            event_id=self._ids(),
            clock_us=self._clock.now_us(),
        )
        if move is None:
            return self._telling(waits(request.standing.queue))
        return self._telling(await book.apply(move))

    async def follow_up(self, book: RequestBook, message: FollowUp, request_id: str) -> AfterCommit | None:
        """MessageReceived: a closed request is taken up again."""
        request = await book.find(request_id)
        if request is None:
            return None
        await book.hear(request_id, message.occurred_us)
        now = heard(request, message.occurred_us)
        move = followed_up(now, message, event_id=self._ids(), clock_us=self._clock.now_us())
        return None if move is None else self._telling(await book.apply(move))

    async def escalate(self, book: RequestBook, envelope: Envelope, data: Mapping[str, Any]) -> AfterCommit | None:
        """Escalated: the request waits at the higher tier, if that still is its matter."""
        request = await book.find(envelope.subject)
        if request is None:
            return None
        await book.hear(envelope.subject, envelope.occurred_us)
        now = heard(request, envelope.occurred_us)
        move = escalated(now, envelope, data, event_id=self._ids(), clock_us=self._clock.now_us())
        return None if move is None else self._telling(await book.apply(move))

    async def see_closed(self, book: RequestBook, envelope: Envelope) -> None:
        """Resolved or Abandoned, the router's own, as it stands in the log."""
        if envelope.sequence is not None:
            await book.see_closed(envelope.subject, envelope.sequence)

    def _telling(self, applied: Applied) -> AfterCommit:
        return lambda: self._told(applied)


def _tier(policy: Policy, request: Request) -> int:
    newcomer = Newcomer(
        channel=request.channel,
        support_level=request.support_level,
        severity=request.severity,
        priority=request.priority,
    )
    return start_tier(policy, newcomer)
