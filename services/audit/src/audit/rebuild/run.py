"""The rebuild, stage by stage. It can be killed at any moment and run again: it goes on where it was."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from audit.adapters.records import Records
from audit.adapters.schema import RETIRED, SHADOW
from audit.rebuild.catching_up import CatchingUp, live
from audit.rebuild.crew import Crew, crew, usual_count
from audit.rebuild.means import Means, Terms
from audit.rebuild.reading import Reading, Share, parts
from audit.rebuild.shadow import Progress, Shadow, forget_astray
from chassis.errors import Misconfigured

_PLACES_AT_ONCE: Final = 500
_PATIENCE_S: Final = 15.0
_LOCK: Final = "select pg_try_advisory_lock(hashtext('audit rebuild'))"
_NO_WORKERS: Final = "select pg_advisory_lock(hashtext('audit rebuild workers'))"
_WORKERS: Final = "select pg_advisory_unlock(hashtext('audit rebuild workers'))"

Told = Callable[[str, int, int], None]
"""(stage, done, total) in records or requests; total 0 where it is not known."""


class AlreadyRunning(Misconfigured):
    """Another process makes the projection anew at this moment."""


class Rebuild:
    """One run, with the means of its own process and as many workers besides as are wanted."""

    def __init__(self, terms: Terms, means: Means, *, told: Told, workers: int | None) -> None:
        """`workers` is how many processes share the work; None for what the machine and the log allow."""
        self._terms = terms
        self._means = means
        self._told = told
        self._wanted = workers
        self._connection = means.connection
        self._writer = means.db.writer()
        self._origin = "records" if terms.from_records else "log"
        self._shadow = Shadow(means.connection)
        self._catching_up = CatchingUp(self._writer, means.source, most_events=terms.most_events)

    async def run(self) -> int:
        """Makes the projection anew and lets it take the live one's place; the number of records in it.

        Raises AlreadyRunning, WorkerFailed, and Transient errors of the database and of Kafka.
        """
        await self._alone()
        await self._shadow.drop(RETIRED)
        progress = await self._shadow.progress()
        if progress is None or progress.source != self._origin:
            progress = await self._shadow.make(await live(self._connection), self._origin)
        async with crew(Reading(self._terms, self._means), self._count(progress), self._terms) as workers:
            whole = await self._read(workers, progress)
            await self._index("records")
            await self._fold(workers, whole)
        await self._mark_duplicates_elsewhere()
        await self._index("requests")
        self._told("catching up", 0, 0)
        places = await self._catching_up.run(progress.bounds, self._shadow.swap)
        await self._shadow.drop(RETIRED)
        return sum(places.values())

    async def _alone(self) -> None:
        """Nobody else makes it, and no worker is left of a rebuild that was killed."""
        if not await self._connection.fetchval(_LOCK):
            raise AlreadyRunning("a rebuild is running already: wait for it, or end that process")
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._connection.execute(_NO_WORKERS)
        except TimeoutError as error:
            raise AlreadyRunning("a worker of a rebuild that was killed is still there: end that process") from error
        await self._connection.execute(_WORKERS)

    def _count(self, progress: Progress) -> int:
        return self._wanted or usual_count(len(_shares(progress)))

    async def _read(self, workers: Crew, progress: Progress) -> bool:
        """Every record up to the bounds, into tables without keys; whether each request has its summary then."""
        total, count = sum(progress.bounds.values()), sum(progress.places.values())

        def done(more: int) -> None:
            nonlocal count
            count += more
            self._told("records", count, total)

        done(0)
        # What an earlier attempt has read may lack the summaries.
        anew = not any(progress.places.values())
        return await workers.read(_shares(progress), done) and anew

    async def _fold(self, workers: Crew, whole: bool) -> None:
        """The summaries that could not be made while reading, from the rows."""
        count = 0

        def done(more: int) -> None:
            nonlocal count
            count += more
            self._told("requests", count, 0)

        done(0)
        if not whole:
            await self._writer.run(forget_astray)
            await workers.fold(done)

    async def _index(self, table: str) -> None:
        self._told(f"indexes of {table}", 0, 0)
        await self._shadow.index(table)
        await self._shadow.analyze(table)

    async def _mark_duplicates_elsewhere(self) -> None:
        """Outside of requests an event's duplicates are found among all records."""
        records = Records(SHADOW)
        for places in parts(await records.twins_outside(self._connection), _PLACES_AT_ONCE):
            await self._writer.run(partial(records.demote, places=places))


def _shares(progress: Progress) -> list[Share]:
    return [
        Share(partition, progress.places[partition], bound)
        for partition, bound in progress.bounds.items()
        if progress.places[partition] < bound
    ]
