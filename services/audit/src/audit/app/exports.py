"""Everything, piece by piece: the log and the timelines as lines of JSON or as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from audit.app.ports import Log, Requests, Timelines
from audit.domain.cursor import Vector
from audit.domain.filters import LogFilter, RequestFilter
from audit.domain.rendering import render
from audit.domain.tables import EVENT_COLUMNS, TIMELINE_COLUMNS, event_cells, timeline_cells

_RECORDS_AT_ONCE: Final = 500
_TIMELINES_AT_ONCE: Final = 100

Rows = Iterable[Mapping[str, Any]]
Cells = Callable[[Mapping[str, Any]], Sequence[Any]]


class Exports:
    """Streams in pieces, each read by itself: nothing is held open in the database meanwhile."""

    def __init__(self, timelines: Timelines, requests: Requests, log: Log, start: Vector) -> None:
        """`start` is the beginning of the log."""
        self._timelines = timelines
        self._requests = requests
        self._log = log
        self._start = start

    async def events(self, wanted: LogFilter, *, personal: bool) -> AsyncIterator[Rows]:
        """The records as `/v1/events` tells them, partition after partition, until the end is met."""
        at = self._start
        while True:
            records, at = await self._log.page(wanted, at, _RECORDS_AT_ONCE, personal=personal)
            if records:
                yield [told.item for told in records]
            if len(records) < _RECORDS_AT_ONCE:
                return

    async def timelines(self, wanted: RequestFilter, *, personal: bool) -> AsyncIterator[Rows]:
        """The timelines, the one received first at the front, those never received before all."""
        after: tuple[int, str] | None = None
        while True:
            places = await self._requests.oldest_first(wanted, after=after, limit=_TIMELINES_AT_ONCE)
            if places:
                after = places[-1]
                yield await self._timelines.many([request_id for _, request_id in places], personal=personal)
            if len(places) < _TIMELINES_AT_ONCE:
                return


async def as_ndjson(parts: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    """One JSON object a line."""
    async for rows in parts:
        yield b"".join([render(row) + b"\n" for row in rows])


async def as_csv(parts: AsyncIterator[Rows], columns: Sequence[str], cells: Cells) -> AsyncIterator[bytes]:
    """RFC 4180 with a line of column names; what is not known is an empty cell."""
    yield _lines([columns])
    async for rows in parts:
        yield _lines(cells(row) for row in rows)


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


EVENTS_AS_CSV: Final = (EVENT_COLUMNS, event_cells)
TIMELINES_AS_CSV: Final = (TIMELINE_COLUMNS, timeline_cells)
