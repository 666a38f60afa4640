"""Tells all replicas what has something to match, and whose assignments changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

import structlog

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.ids import new_id
from chassis.readiness import OK
from chassis.signals import Signals

QUEUE: Final = "queue"
AGENT: Final = "agent"

_HERE: Final = "here"
_REST_S: Final = 0.01
_GREET_S: Final = 1.0
_SILENT_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Herald:
    """Sends signals after the commits that give rise to them, many at once.

    A NOTIFY inside a commit makes all commits of the cluster queue for one lock, so they go in a transaction of their
    own, and those of a busy moment in one. Where no other replica lets itself be heard nothing is told at all: each
    greets once a second. What is lost with the process is found by those who look at intervals.
    """

    def __init__(self, db: Database, signals: Signals, *, silent_s: float = _SILENT_S) -> None:
        """Who has not greeted for `silent_s` has gone."""
        self._db = db
        self._silent_s = silent_s
        self._heard_at = monotonic()
        self._signals = signals
        self._me = new_id()
        self._waiting: set[tuple[str, str]] = set()
        self._something = asyncio.Event()

    def tell(self, queues: Iterable[str], agents: Iterable[str]) -> None:
        """Of queues with a waiting request or a free unit, and of agents; call it after the commit."""
        if self.alone:
            return
        self._waiting.update((QUEUE, queue) for queue in queues)
        self._waiting.update((AGENT, agent_id) for agent_id in agents)
        if self._waiting:
            self._something.set()

    @property
    def alone(self) -> bool:
        """Whether no other replica has let itself be heard of late, as far as this one can hear."""
        return monotonic() - self._heard_at > self._silent_s and self._signals.check() is OK

    def hear(self, channel: str, woken: Callable[[str], None]) -> None:
        """Calls `woken` with what the other replicas tell: whoever tells something here was woken by it before."""

        def heard(said: str) -> None:
            teller, _, name = said.partition(" ")
            if teller != self._me:
                self._heard_at = monotonic()
                woken(name)

        self._signals.on(channel, heard)

    async def run(self) -> None:
        """Greets, and sends what there is to tell, until it is cancelled."""
        self.hear(_HERE, lambda _: None)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._greet())
            group.create_task(self._tell())

    async def _greet(self) -> None:
        while True:
            await self._send([(_HERE, self._me)])
            await asyncio.sleep(_GREET_S)

    async def _tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            told, self._waiting = self._waiting, set()
            await self._send([(channel, f"{self._me} {name}") for channel, name in sorted(told)])
            await asyncio.sleep(_REST_S)

    async def _send(self, signals: list[tuple[str, str]]) -> None:
        try:
            async with self._db.connection() as connection:
                await self._signals.send_all(connection, signals)
        except Unavailable as error:
            _log.info("signals_not_sent", reason=error.detail)
