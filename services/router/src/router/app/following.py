"""What others' events come to: requests begin, are escalated, and are reopened by what follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from chassis.clock import Clock
from events.envelope import Envelope
from router.app.moved import Applied, waits
from router.domain.follow import FollowUp, classified, escalated, followed_up, heard
from router.domain.moves import Move
from router.domain.policies import Newcomer, Policy, start_tier
from router.domain.request import Request

AfterCommit = Callable[[], None]


class Closing(NamedTuple):
    """A Resolved or Abandoned of the router's own, as it stands in the log."""

    request_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """A request that begins, and the trace of what began it."""

    request: Request
    traceparent: str | None


class RequestBook(Protocol):
    """One transaction that holds the streams of all requests that it is asked about."""

    async def begin(self, requests: Sequence[Request]) -> Mapping[str, Policy]:
        """Enters new requests; their queues' policies, by request, of those that were not known already."""
        ...

    async def find(self, request_id: str) -> Request | None:
        """The request as it stands."""
        ...

    async def hear(self, request_id: str, occurred_us: int) -> None:
        """Notes that something was stated of it at that time."""
        ...

    async def see_closed(self, closings: Sequence[Closing]) -> None:
        """Notes that these closing events have been seen in the log."""
        ...

    async def apply(self, moves: Sequence[Move], traceparents: Mapping[str, str | None]) -> Applied:
        """Writes moves of different requests; the traces are by request."""
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

    async def begin(self, book: RequestBook, beginnings: Sequence[Beginning]) -> AfterCommit | None:
        """ContactReceived: the requests wait, at their start tiers. What is known already is passed over."""
        first = {each.request.request_id: each for each in reversed(beginnings)}
        policies = await book.begin([each.request for each in first.values()])
        if not policies:
            return None
        moves = {each: self._classified(first[each].request, policy) for each, policy in policies.items()}
        told = [waits(first[each].request.standing.queue) for each, move in moves.items() if move is None]
        moved = [move for move in moves.values() if move is not None]
        if moved:
            told.append(await book.apply(moved, {each: first[each].traceparent for each in moves}))
        return self._telling(told)

    async def follow_up(
        self, book: RequestBook, message: FollowUp, request_id: str, traceparent: str | None
    ) -> AfterCommit | None:
        """MessageReceived: a closed request is taken up again."""
        request = await book.find(request_id)
        if request is None:
            return None
        await book.hear(request_id, message.occurred_us)
        now = heard(request, message.occurred_us)
        move = followed_up(now, message, event_id=self._ids(), clock_us=self._clock.now_us())
        return await self._moved(book, move, traceparent)

    async def escalate(
        self, book: RequestBook, envelope: Envelope, data: Mapping[str, Any], traceparent: str | None
    ) -> AfterCommit | None:
        """Escalated: the request waits at the higher tier, if that still is its matter."""
        request = await book.find(envelope.subject)
        if request is None:
            return None
        await book.hear(envelope.subject, envelope.occurred_us)
        now = heard(request, envelope.occurred_us)
        move = escalated(now, envelope, data, event_id=self._ids(), clock_us=self._clock.now_us())
        return await self._moved(book, move, traceparent)

    def _classified(self, request: Request, policy: Policy) -> Move | None:
        tier, now_us = _tier(policy, request), self._clock.now_us()
        return classified(request, tier, policy_version=policy.version, event_id=self._ids(), clock_us=now_us)

    async def _moved(self, book: RequestBook, move: Move | None, traceparent: str | None) -> AfterCommit | None:
        if move is None:
            return None
        return self._telling([await book.apply([move], {move.before.request_id: traceparent})])

    def _telling(self, outcomes: Sequence[Applied]) -> AfterCommit:
        def tell() -> None:
            for applied in outcomes:
                self._told(applied)

        return tell


def _tier(policy: Policy, request: Request) -> int:
    newcomer = Newcomer(
        channel=request.channel,
        support_level=request.support_level,
        severity=request.severity,
        priority=request.priority,
    )
    return start_tier(policy, newcomer)
