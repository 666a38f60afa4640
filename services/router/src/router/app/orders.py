"""Orders on requests: held, decided, written, answered."""

from __future__ import annotations

from typing import Final

import orjson

from chassis.clock import Clock
from chassis.commands import Use
from chassis.errors import Conflict, Invalid, NotFound, Overloaded
from router.app.ports import RequestStore, RequestUnit, Shown
from router.domain.commands import Command, Transfer
from router.domain.decide import Repeated, decide
from router.domain.moves import Move
from router.domain.request import Request

MOST_AT_ONCE: Final = 512
"""How many orders may be under way in one process: two transactions' full and some more, which is a second's work."""


class Orders:
    """Carries out what is ordered on requests."""

    def __init__(self, store: RequestStore, clock: Clock, *, most: int = MOST_AT_ONCE) -> None:
        self._store = store
        self._clock = clock
        self._most = most
        self._under_way = 0

    async def carry_out(self, request_id: str, command: Command, use: Use | None) -> bytes:
        """The answer's JSON, once the order's event is committed.

        Raises `NotFound`, `Conflict` with the present state and holder, `Invalid` for a transfer to an agent whom
        nobody registered, `Overloaded` where too much is under way, and what `RequestStore.settled` raises.
        """
        if self._under_way >= self._most:
            raise Overloaded

        async def settle(unit: RequestUnit) -> bytes:
            return await self._settle(unit, request_id, command)

        self._under_way += 1
        try:
            return await self._store.settled(request_id, use, settle, words=command.words is not None)
        finally:
            self._under_way -= 1

    async def look(self, request_id: str) -> Shown:
        """The request with its last decision; raises `NotFound`."""
        shown = await self._store.shown(request_id)
        if shown is None:
            raise unknown(request_id)
        return shown

    async def _settle(self, unit: RequestUnit, request_id: str, command: Command) -> bytes:
        request = await unit.request()
        if request is None:
            raise unknown(request_id)
        decision = decide(request, command, self._clock.now_us())
        if isinstance(decision, Repeated):
            return _answer(request, decision.event_id)
        if not isinstance(decision, Move):
            standing = decision.standing
            raise Conflict(decision.detail, state=standing.state, holder=standing.agent_id)
        await _check_target(unit, command)
        return _answer(await unit.apply(decision), command.event_id)


def unknown(request_id: str) -> NotFound:
    """The refusal for an id that stands for nothing here."""
    return NotFound(f"There is no request {request_id} here; an imported one takes no commands.")


async def _check_target(unit: RequestUnit, command: Command) -> None:
    target = command.to.agent_id if isinstance(command, Transfer) else None
    if target is not None and not await unit.knows_agent(target):
        raise Invalid([{"field": "to.agent_id", "reason": "is no agent that was registered"}])


def _answer(request: Request, event_id: str) -> bytes:
    return orjson.dumps(
        {
            "request_id": request.request_id,
            "state": request.standing.state,
            "version": request.version,
            "event_id": event_id,
        }
    )
