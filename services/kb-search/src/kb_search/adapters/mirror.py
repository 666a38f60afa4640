"""Keeps the text index as the tables are: read whole at the start, then by changes, woken by signals."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from chassis.alarm import Alarm
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.readiness import OK, Finding, degraded, down
from chassis.signals import Signals
from kb_search.adapters.articles import Change, bound, changes
from kb_search.app.library import CHANNEL
from kb_search.app.ports import Index

_NET_S: Final = 2.0
_PATIENCE_S: Final = 1.0
_STALE_S: Final = 15.0
_PAGE: Final = 500
_log = structlog.get_logger(__name__)


class Mirror:
    """The one who writes to the index. Changes are read by transaction numbers from a bound on below which nothing can
    be written any more, so that none is missed, whatever commits when; what is read twice is passed over."""

    def __init__(self, db: Database, index: Index, signals: Signals) -> None:
        self._db = db
        self._index = index
        self._alarm = Alarm(self._turn, net_s=_NET_S, name="articles")
        self._since = 0
        self._taken: dict[str, int] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._looked_at: float | None = None
        signals.on(CHANNEL, lambda _: self._alarm.wake())

    async def run(self) -> None:
        """Until `stop()`."""
        await self._alarm.run()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._alarm.stop()

    @property
    def is_whole(self) -> bool:
        """Whether all articles are in the index: before, nothing can be said of what is found."""
        return self._looked_at is not None

    async def caught_up(self) -> None:
        """Waits until what is committed now is found here, a second at most."""
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(seen)
        self._alarm.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await seen

    def check(self) -> Finding:
        """For `/readyz`: whether the index is whole, and not left behind."""
        if self._looked_at is None:
            return down("the articles are being read into the index")
        behind_s = monotonic() - self._looked_at
        if behind_s > _STALE_S:
            return degraded(f"the articles were last looked at {behind_s:.0f} s ago: see the database's check")
        return OK

    async def _turn(self) -> float | None:
        told, self._waiting = self._waiting, []
        try:
            await self._read()
        except Unavailable:
            self._waiting = told + self._waiting
            raise
        self._looked_at = monotonic()
        for seen in told:
            if not seen.done():
                seen.set_result(None)
        return None

    async def _read(self) -> None:
        began, first, after = monotonic(), not self._taken, ""
        async with self._db.connection() as connection:
            since = await bound(connection)
        while True:
            async with self._db.connection() as connection:
                read = await changes(connection, since=self._since, after=after, limit=_PAGE, without_retired=first)
            await self._take([change for change in read if self._taken.get(change.article_id) != change.number])
            if len(read) < _PAGE:
                break
            after = read[-1].article_id
        self._since = since
        if not self.is_whole:
            _log.info("articles_read", articles=self._index.articles, seconds=round(monotonic() - began, 3))

    async def _take(self, news: list[Change]) -> None:
        if not news:
            return
        entries = [change.entry for change in news if change.entry is not None]
        gone = [change.article_id for change in news if change.entry is None]
        # Indexing many takes long; searches go on meanwhile in what was there before.
        await asyncio.to_thread(self._index.change, entries, gone)
        self._taken.update((change.article_id, change.number) for change in news)
