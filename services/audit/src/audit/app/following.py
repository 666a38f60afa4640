"""The log as a stream that goes on as records are taken in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog

from audit.app.ports import Log, Told
from audit.domain.cursor import Vector
from audit.domain.filters import LogFilter
from chassis.errors import Unavailable

_AT_ONCE: Final = 200
# Another replica may take records in without this process hearing of it.
_LOOK_AGAIN_S: Final = 1.0
_log = structlog.get_logger(__name__)


class News:
    """Wakes those who wait for records, in this process."""

    def __init__(self) -> None:
        self._coming = asyncio.Event()

    def tell(self) -> None:
        """Records were taken in."""
        self._coming.set()
        self._coming = asyncio.Event()

    def coming(self) -> asyncio.Event:
        """Set with the next news. To be asked for before reading, so that nothing falls between."""
        return self._coming


class Follower:
    """Reads on and on until the service stops."""

    def __init__(self, log: Log, news: News, stopping: asyncio.Event) -> None:
        self._log = log
        self._news = news
        self._stopping = stopping

    async def follow(self, wanted: LogFilter, start: Vector, *, personal: bool) -> AsyncIterator[tuple[Told, Vector]]:
        """Each record from `start` on with the place after it. Without the database it waits."""
        at = start
        while not self._stopping.is_set():
            coming = self._news.coming()
            try:
                records, after = await self._log.page(wanted, at, _AT_ONCE, personal=personal)
            except Unavailable as error:
                _log.warning("stream_waits", reason=error.detail)
                records, after = [], at
            for told in records:
                at = at.moved({(told.place.topic, told.place.partition): told.place.offset + 1})
                yield told, at
            at = after
            if not records:
                await self._wait(coming)

    async def _wait(self, coming: asyncio.Event) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in (coming, self._stopping)]
        try:
            await asyncio.wait(waiting, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
