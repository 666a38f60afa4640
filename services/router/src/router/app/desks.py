"""The agents' desks, told what changes as it is committed by whichever replica."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from chassis.errors import Unavailable
from events.lifecycle.table import State
from router.app.roster import Assignment
from router.domain.desk import Held, News, changes

# Signals are hints: what was told while nobody heard it is found by looking.
_LOOK_AGAIN_S: Final = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a desk is told; `assignment` as it stands now, or as it was told last where it is over."""

    news: News
    assignment: Assignment


class Assignments(Protocol):
    """What agents are offered and have."""

    async def of(self, agent_id: str) -> Sequence[Assignment]:
        """Those of one agent. Raises `Unavailable`."""
        ...


class Desks:
    """Streams, one for each desk that listens."""

    def __init__(self, assignments: Assignments, stopping: asyncio.Event) -> None:
        self._assignments = assignments
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
            found = await self._assignments.of(agent_id)
        except Unavailable as error:
            _log.info("desk_waits", agent_id=agent_id, reason=error.detail)
            return told
        return {Held(each.request_id, each.leg): each for each in found}

    async def _wait(self, coming: asyncio.Event) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in (coming, self._stopping)]
        try:
            await asyncio.wait(waiting, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


def _states(assignments: dict[Held, Assignment]) -> dict[Held, State]:
    return {held: State(assignment.state) for held, assignment in assignments.items()}
