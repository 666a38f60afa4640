"""The agents' desks, told what changes as it is committed by whichever replica."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from chassis.errors import Unavailable
from events.lifecycle.table import State
from router.app.roster import Assignment
from router.domain.desk import Held, News, changes

# Signals are hints: what was told while nobody heard it is found by looking, by all desks at the same moments.
_LOOK_AGAIN_S: Final = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a desk is told; `assignment` as it stands now, or as it was told last where it is over."""

    news: News
    assignment: Assignment


class Assignments(Protocol):
    """What agents are offered and have."""

    async def of(self, agent_ids: Collection[str]) -> Mapping[str, Sequence[Assignment]]:
        """Those of these agents, as far as they have any. Raises `Unavailable`."""
        ...


class _Reader:
    """Reads for many desks at once: who asks while something is being read is among those of the next reading."""

    def __init__(self, assignments: Assignments) -> None:
        self._assignments = assignments
        self._asked: dict[str, asyncio.Future[Sequence[Assignment]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def of(self, agent_id: str) -> Sequence[Assignment]:
        """As they are now or a little later. Raises `Unavailable`."""
        if agent_id not in self._asked:
            self._asked[agent_id] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        # It is others' answer too: who leaves takes only himself away.
        return await asyncio.shield(self._asked[agent_id])

    async def _read(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                await self._answer(asked)
        finally:
            self._reading = None

    async def _answer(self, asked: Mapping[str, asyncio.Future[Sequence[Assignment]]]) -> None:
        try:
            found = await self._assignments.of(asked.keys())
        except Exception as error:  # noqa: BLE001 - each desk gets the error, whatever it is, and the reader lives on
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # a desk that has gone never asks: that is no error worth a warning
            return
        for agent_id, answer in asked.items():
            answer.set_result(found.get(agent_id, ()))


class Desks:
    """Streams, one for each desk that listens."""

    def __init__(self, assignments: Assignments, stopping: asyncio.Event) -> None:
        self._reader = _Reader(assignments)
        self._stopping = stopping
        self._coming: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, agent_id: str) -> None:
        """Something of this agent has changed, with `""` of any."""
        for each in list(self._coming) if not agent_id else [agent_id]:
            if each in self._coming:
                self._coming.pop(each).set()

    async def follow(self, agent_id: str) -> AsyncGenerator[Notice]:
        """All that he is offered and has now, then every change, until the service stops."""
        told: dict[Held, Assignment] = {}
        while not self._stopping.is_set():
            coming = self._coming[agent_id]
            now = await self._look(agent_id, told)
            for change in changes(_states(told), _states(now)):
                yield Notice(change.news, now.get(change.held) or told[change.held])
            told = now
            await self._wait(coming)

    async def _look(self, agent_id: str, told: dict[Held, Assignment]) -> dict[Held, Assignment]:
        try:
            found = await self._reader.of(agent_id)
        except Unavailable as error:
            _log.info("desk_waits", agent_id=agent_id, reason=error.detail)
            return told
        return {Held(each.request_id, each.leg): each for each in found}

    async def _wait(self, coming: asyncio.Event) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in (coming, self._stopping)]
        try:
            await asyncio.wait(waiting, timeout=_until_the_next_look_s(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


def _until_the_next_look_s() -> float:
    return _LOOK_AGAIN_S - asyncio.get_running_loop().time() % _LOOK_AGAIN_S


def _states(assignments: dict[Held, Assignment]) -> dict[Held, State]:
    return {held: State(assignment.state) for held, assignment in assignments.items()}
