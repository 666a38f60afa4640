"""The requests' store in memory: small and right."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from chassis.commands import Use
from chassis.errors import InFlight, KeyReused
from router.app.ports import Settle, Shown
from router.domain.moves import Move, stamped
from router.domain.request import Request


class MemoryRequests:
    """`ports.RequestStore` in memory; one order on a request at a time."""

    def __init__(self) -> None:
        self.requests: dict[str, Request] = {}
        self.agents: set[str] = set()
        self.moves: list[Move] = []
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._answers: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._working: set[tuple[str, str]] = set()

    async def settled(self, request_id: str, use: Use | None, settle: Settle, *, words: bool) -> bytes:
        if use is None:
            return await self._run(request_id, settle)
        mark = use.scope, use.key
        if mark in self._answers:
            return self._again(use)
        if mark in self._working:
            raise InFlight("A request with this key is being worked on: send it again in a moment.")
        self._working.add(mark)
        try:
            answer = await self._run(request_id, settle)
            self._answers[mark] = use.hash, answer
            return answer
        finally:
            self._working.discard(mark)

    async def shown(self, request_id: str) -> Shown | None:
        request = self.requests.get(request_id)
        return None if request is None else Shown(request, self._decision(request))

    def held(self, request_id: str) -> asyncio.Lock:
        """Holds the request, as an order under way does."""
        return self._turns[request_id]

    async def _run(self, request_id: str, settle: Settle) -> bytes:
        async with self._turns[request_id]:
            unit = _Unit(self, request_id)
            answer = await settle(unit)
            unit.commit()
            return answer

    def _again(self, use: Use) -> bytes:
        hash_, answer = self._answers[use.scope, use.key]
        if hash_ != use.hash:
            raise KeyReused("This Idempotency-Key stands for another body: send this one under a key of its own.")
        return answer

    def _decision(self, request: Request) -> dict[str, Any] | None:
        mine = [move for move in self.moves if move.takes is not None and move.before.request_id == request.request_id]
        if not mine:
            return None
        decision: dict[str, Any] = mine[-1].steps[0].fact.model_dump(exclude_unset=True)["decision"]
        return decision


class _Unit:
    """`ports.RequestUnit`: nothing stands before the commit."""

    def __init__(self, store: MemoryRequests, request_id: str) -> None:
        self._store = store
        self._request_id = request_id
        self._made: list[tuple[Move, Request]] = []

    async def request(self) -> Request | None:
        return self._store.requests.get(self._request_id)

    async def knows_agent(self, agent_id: str) -> bool:
        return agent_id in self._store.agents

    async def apply(self, move: Move) -> Request:
        first = max(move.clock_us, move.floor_us, move.before.last_us + 1)
        after = stamped(move, [first + n for n in range(len(move.steps))])
        self._made.append((move, after))
        return after

    def commit(self) -> None:
        for move, after in self._made:
            self._store.moves.append(move)
            self._store.requests[self._request_id] = after
