"""Escalations: somebody asks for a higher tier; and the clocks of a request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson

from chassis.clock import Clock as Time
from chassis.commands import Use
from chassis.errors import Conflict, Invalid, NotFound, Refused
from escalation.app.ports import RuleStore, Seal, Store, Unit
from escalation.domain.clocks import Clock, consumed, state_of
from escalation.domain.escalate import AlreadyPending, AtTheTop, Closed, Decided, Escalate, NotHigher, decide
from escalation.domain.request import Pending, Request

Seals = Callable[[str], Awaitable[Seal]]
"""The seal of a customer, by his id. Raises Unavailable where his key has not arrived yet."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock as it stands now: its state, and how much of the target is used up, in µs."""

    clock: Clock
    state: str
    consumed_us: int


class Escalations:
    """The orders on requests, and what is promised to them."""

    def __init__(self, store: Store, rules: RuleStore, seals: Seals, time: Time) -> None:
        self._store = store
        self._rules = rules
        self._seals = seals
        self._time = time

    async def escalate(self, request_id: str, order: Escalate, use: Use | None = None) -> bytes:
        """The answer's JSON. Raises NotFound, Conflict, Invalid, and what a key and the database may raise."""
        seal = await self._seals((await self.request(request_id)).customer_id)

        async def work(unit: Unit) -> bytes:
            request = await unit.request(request_id)
            if request is None:
                raise unknown()
            match decide(request, order):
                case Decided() as decided:
                    change = decided.change
                    unit.keep(change, seal)
                    return _answer(request, change.request.pending)
                case AlreadyPending(pending):
                    return _answer(request, pending)
                case refusal:
                    raise refused(refusal, request)

        return await self._store.once(request_id, use, work)

    async def clocks(self, request_id: str) -> list[Reading]:
        """The clocks that still say something, in the order of their start. Raises NotFound."""
        request = await self.request(request_id)
        rules = await self._rules.rules()
        now_us = self._time.now_us()
        return [
            Reading(clock, state, consumed(clock, now_us, rules.hours(clock.terms)))
            for clock in request.clocks
            if (state := state_of(clock, now_us)) is not None
        ]

    async def request(self, request_id: str) -> Request:
        """The request; raises NotFound until it is known here."""
        found = await self._store.find(request_id) if _REQUEST_ID.fullmatch(request_id) else None
        if found is None:
            raise unknown()
        return found


def unknown() -> NotFound:
    """Nothing is known of such a request: it may not have arrived yet."""
    return NotFound("Nothing was heard of this request yet: if it was received a moment ago, try again shortly.")


def refused(refusal: Closed | AtTheTop | NotHigher, request: Request) -> Refused:
    """What the caller is told."""
    state, holder = request.state.value, request.standing.agent_id
    match refusal:
        case Closed():
            return Conflict(f"The request is {state}: reopen it first.", state=state, holder=holder)
        case AtTheTop():
            return Conflict("The request is at the top tier: there is none above.", state=state, holder=holder)
        case NotHigher(tier):
            return Invalid([{"field": "to_tier", "reason": f"must be higher than the request's tier, {tier}"}])


def _answer(request: Request, pending: Pending | None) -> bytes:
    assert pending is not None
    told = {"request_id": request.request_id, "event_id": pending.event_id, "to_tier": pending.to_tier}
    return orjson.dumps(told)
