"""Simulated agents: each hears of offers over a stream of his own, accepts at once, and resolves at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from bench.event_stream import EventStream
from bench.life_reading import Life
from bench.life_stack import CHANNEL, HEADERS, QUEUE, Stack

AGENTS, UNITS = 100, 5
LOOK_S = 0.05


@dataclass(slots=True)
class Floor:
    """What became of each contact, by its request id, as its customer and the desks saw it; times of `time.monotonic`.

    `lost` are the orders that came too late: the offer had lapsed, or it was another's.
    """

    due: dict[str, float] = field(default_factory=dict)
    offered: dict[str, float] = field(default_factory=dict)
    resolved: dict[str, float] = field(default_factory=dict)
    lost: int = 0

    def lives(self, began: float) -> list[Life]:
        """Those due since `began`, with their times from then."""
        return [
            Life(due - began, _since(self.offered.get(each), began), _since(self.resolved.get(each), began))
            for each, due in self.due.items()
            if due >= began
        ]

    async def settled(self, patience_s: float) -> None:
        """Returns when every contact is resolved, or when the patience is over."""
        for _ in range(round(patience_s / LOOK_S)):
            if len(self.resolved) == len(self.due):
                return
            await asyncio.sleep(LOOK_S)


class Desk:
    """One agent's."""

    def __init__(self, agent_id: str, stack: Stack, floor: Floor, work: asyncio.TaskGroup) -> None:
        self.agent_id, self._stack, self._floor, self._work = agent_id, stack, floor, work

    def hear(self, event: str, data: bytes) -> None:
        """The stream's news: an offer is taken up."""
        if event == "offer":
            offer = orjson.loads(data)
            self._floor.offered.setdefault(offer["request_id"], time.monotonic())
            self._work.create_task(self._take(offer["request_id"], offer["leg"]))

    async def _take(self, request_id: str, leg: int) -> None:
        if await self._order(request_id, leg, "accept", {}) and await self._order(
            request_id, leg, "resolve", {"code": "answered", "summary": "Told the customer how it is done."}
        ):
            self._floor.resolved[request_id] = time.monotonic()

    async def _order(self, request_id: str, leg: int, verb: str, more: dict[str, str]) -> bool:
        """Whether it was obeyed; a conflict means that somebody or time was first."""
        body = {"agent_id": self.agent_id, "leg": leg, **more}
        path, key = f"/v1/requests/{request_id}/{verb}", f"{verb}-{request_id}-{leg}"
        answer = await self._stack.post("router", path, body, key)
        if answer.status not in (200, 409):
            raise RuntimeError(f"{verb} was answered {answer.status}: {answer.body[:200]!r}")
        self._floor.lost += answer.status == 409
        return answer.status == 200


@asynccontextmanager
async def open_floor(stack: Stack) -> AsyncIterator[Floor]:
    """AGENTS available agents with UNITS chats each, listening; errors of theirs are raised at the end."""
    floor = Floor()
    async with asyncio.TaskGroup() as work:
        streams = [await _arrive(stack, Desk(f"agent-{n}", stack, floor, work)) for n in range(AGENTS)]
        yield floor
        _must_be_open(streams)
        for each in streams:
            each.close()


async def _arrive(stack: Stack, desk: Desk) -> EventStream:
    path = f"/v1/agents/{desk.agent_id}"
    agent = {"name": desk.agent_id, "queues": [QUEUE], "languages": ["en"], "channels": {CHANNEL: UNITS}}
    await stack.put("router", path, agent)
    await stack.put("router", f"{path}/presence", {"status": "available"})
    _, stream = await asyncio.get_running_loop().create_connection(
        lambda: EventStream(f"{path}/stream", HEADERS, desk.hear), "127.0.0.1", stack.served["router"].port
    )
    return stream


def _must_be_open(streams: Sequence[EventStream]) -> None:
    """A desk that no longer hears takes part in nothing, and the figures would be of fewer."""
    if over := sum(each.over.done() for each in streams):
        raise RuntimeError(f"{over} of {len(streams)} streams have ended")


def _since(moment: float | None, began: float) -> float | None:
    return None if moment is None else moment - began
