"""The rebuild, stage by stage. It can be killed at any moment and run again: it goes on where it was."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from audit.adapters.records import Months, Records
from audit.adapters.schema import RETIRED, SHADOW
from audit.adapters.summaries import Summaries
from audit.app.ahead import Ahead
from audit.domain.batch import KnownTimes, Row, arrive
from audit.domain.cursor import Partition
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.summary import Summary, summarise
from audit.rebuild.bulk import Remembered
from audit.rebuild.catching_up import CatchingUp, live
from audit.rebuild.shadow import EVERYTHING, Progress, Shadow, write_folded, write_progress
from audit.rebuild.source import Source
from chassis.database import Connection, Database
from chassis.errors import Misconfigured

T = TypeVar("T")

_RECORDS_AT_ONCE: Final = 3_000
_REQUESTS_AT_ONCE: Final = 500
_FOLDED_AT_ONCE: Final = 50
_LOCK: Final = "select pg_try_advisory_lock(hashtext('audit rebuild'))"

Told = Callable[[str, int, int], None]
"""(stage, done, total) in records or requests; total 0 where it is not known."""


class AlreadyRunning(Misconfigured):
    """Another process makes the projection anew at this moment."""


class Rebuild:
    """One run. `connection` is its own, without limits on statements, since an index may take long."""

    def __init__(
        self, db: Database, connection: Connection, source: Source, *, origin: str, most_events: int, told: Told
    ) -> None:
        """At most `most_events` are remembered while reading; `origin` names the source in the notes of progress."""
        self._db = db
        self._writer = db.writer()
        self._connection = connection
        self._source = source
        self._origin = origin
        self._most_events = most_events
        self._told = told
        self._shadow = Shadow(connection)
        self._records = Records(SHADOW)
        self._catching_up = CatchingUp(self._writer, source, most_events=most_events)
        self._summaries = Summaries(SHADOW)

    async def run(self) -> int:
        """Makes the projection anew and lets it take the live one's place; the number of records in it.

        Raises AlreadyRunning, and Transient errors of the database and of Kafka.
        """
        if not await self._connection.fetchval(_LOCK):
            raise AlreadyRunning("a rebuild is running already: wait for it, or end that process")
        await self._shadow.drop(RETIRED)
        progress = await self._shadow.progress()
        resumed = progress is not None and progress.source == self._origin
        if progress is None or not resumed:
            progress = await self._shadow.make(await live(self._connection), self._origin)
        remembered = Remembered(0 if resumed else self._most_events)
        places = await self._read(progress, remembered)
        # PostgreSQL builds the index while the remembered requests are folded here.
        indexing = asyncio.create_task(self._index("records"))
        try:
            await self._fold_remembered(progress, remembered)
        finally:
            await indexing
        await self._fold_others(progress, remembered)
        await self._mark_duplicates_elsewhere()
        await self._index("requests")
        self._told("catching up", 0, 0)
        places = await self._catching_up.run(places, self._shadow.swap)
        await self._shadow.drop(RETIRED)
        return sum(places.values())

    async def _read(self, progress: Progress, remembered: Remembered) -> dict[Partition, int]:
        """Every record up to the bounds, into tables without keys. One batch is written while the next is read."""
        places, bounds = dict(progress.places), progress.bounds
        known: KnownTimes = {place: await self._records.last_known_us(self._connection, *place) for place in places}
        months = Months(SHADOW)
        async with Ahead() as writing:
            while any(places[partition] < bound for partition, bound in bounds.items()):
                records, moved = await self._source.read(places, bounds, _RECORDS_AT_ONCE)
                arrived = arrive(records, known)
                remembered.take(arrived)
                places |= moved
                rows = [arrival.row() for arrival in arrived]
                await writing.start(self._append(rows, dict(places), months))
                self._told("records", sum(places.values()), sum(bounds.values()))
        return places

    async def _append(self, rows: Sequence[Row], places: Mapping[Partition, int], months: Months) -> None:
        async def work(tx: Connection) -> None:
            if missing := months.missing([row.known_us for row in rows]):
                await months.make(tx, missing)
            await self._records.append(tx, rows)
            await write_progress(tx, places)

        await self._writer.run(work)

    async def _index(self, table: str) -> None:
        self._told(f"indexes of {table}", 0, 0)
        await self._shadow.index(table)
        await self._shadow.analyze(table)

    async def _fold_remembered(self, progress: Progress, remembered: Remembered) -> None:
        """The summaries of the requests whose histories are in memory; what an earlier attempt left goes first."""
        if progress.folded_to:
            return
        await self._writer.run(lambda tx: tx.execute(f"truncate {SHADOW}.requests"))
        async with Ahead() as writing:
            for part in _parts(remembered.histories(), _REQUESTS_AT_ONCE):
                summaries = []
                for some in _parts(part, _FOLDED_AT_ONCE):
                    summaries += [summarise(request_id, history) for request_id, history in some]
                    await asyncio.sleep(0)  # the part before is written meanwhile
                await writing.start(self._store(summaries, [], ""))

    async def _fold_others(self, progress: Progress, remembered: Remembered) -> None:
        """The summaries of the other requests, from their rows."""
        done, after = 0, progress.folded_to
        self._told("requests", done, 0)
        while not remembered.holds_all and (ids := await self._ids_after(after)):
            after = ids[-1]
            wanted = [request_id for request_id in ids if not remembered.holds(request_id)]
            histories, twins = await self._records.whole_histories(self._connection, wanted)
            await self._summarise(histories.items(), twins, after)
            done += len(ids)
            self._told("requests", done, 0)
        await self._summarise([], remembered.demoted, EVERYTHING)

    async def _ids_after(self, request_id: str) -> list[str]:
        rows = await self._connection.fetch(_IDS, request_id, _REQUESTS_AT_ONCE)
        return [row["request_id"] for row in rows]

    async def _summarise(
        self, histories: Iterable[tuple[str, History]], twins: Sequence[Place], folded_to: str
    ) -> None:
        await self._store([summarise(request_id, history) for request_id, history in histories], twins, folded_to)

    async def _store(self, summaries: Sequence[Summary], twins: Sequence[Place], folded_to: str) -> None:
        async def work(tx: Connection) -> None:
            await self._summaries.copy(tx, summaries)
            await self._records.demote(tx, twins)
            await write_folded(tx, folded_to)

        await self._writer.run(work)

    async def _mark_duplicates_elsewhere(self) -> None:
        """Outside of requests an event's duplicates are found among all records."""
        twins = await self._records.twins_outside(self._connection)
        for places in _parts(twins, _REQUESTS_AT_ONCE):
            await self._writer.run(partial(self._records.demote, places=places))


_IDS: Final = f"""
    select distinct request_id from {SHADOW}.records where request_id > $1 order by request_id limit $2
"""


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while part := list(islice(left, size)):
        yield part
