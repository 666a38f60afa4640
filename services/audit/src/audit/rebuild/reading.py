"""What each worker of a rebuild does: reads a partition and folds its requests, or folds requests from their rows."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from audit.adapters.records import Months, Records
from audit.adapters.schema import SHADOW
from audit.adapters.summaries import Summaries
from audit.app.ahead import Ahead
from audit.domain.batch import KnownTimes, Row, arrive
from audit.domain.cursor import Partition
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.summary import Summary, summarise
from audit.rebuild.bulk import Remembered
from audit.rebuild.means import Means, Terms
from audit.rebuild.shadow import move, note_astray
from audit.rebuild.source import Read, pieces
from chassis.database import Connection

T = TypeVar("T")
Done = Callable[[int], None]
"""Told how many more records or requests are done."""

_REQUESTS_AT_ONCE: Final = 500
_WORKED_ON_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Share:
    """A partition to be read from `place` on up to `bound`."""

    partition: Partition
    place: int
    bound: int


class Reading:
    """The work of one process, on connections of its own. Several share the partitions, and then the requests."""

    def __init__(self, terms: Terms, means: Means) -> None:
        self._most_events = terms.most_events
        self._partitions = terms.settings.contacts_partitions
        self._writer = means.db.writer()
        self._connection = means.connection
        self._source = means.source
        self._records = Records(SHADOW)
        self._summaries = Summaries(SHADOW)
        self._months = Months(SHADOW)

    async def read(self, share: Share, done: Done) -> bool:
        """Copies a partition's records, then the summaries of its requests; whether each of these has its own now.

        A summary stands for all rows of its request, so it is written after them.
        """
        partition = share.partition
        known: KnownTimes = {partition: await self._records.last_known_us(self._connection, *partition)}
        # What an earlier attempt has read is not remembered: these requests are folded from their rows.
        most = self._most_events if share.place == 0 else 0
        remembered = Remembered(most, partition=partition[1], partitions=self._partitions)
        strayed = False
        async with Ahead() as writing:
            place = share.place
            while place < share.bound:
                read = await self._source.read(partition, place, share.bound)
                for piece in pieces(read):
                    rows, astray = await self._arrived(piece, known, remembered)
                    strayed |= bool(astray)
                    await writing.start(self._append(rows, astray, (partition, place, piece[1])))
                    done(piece[1] - place)
                    place = piece[1]
            for part in parts(remembered.histories(), _REQUESTS_AT_ONCE):
                await writing.start(self._store(await _folded(part), []))
        return remembered.holds_all and not strayed

    async def fold(self, number: int, of: int, done: Done) -> None:
        """Summarises from their rows those requests that have no summary, as far as they are the share of `number`."""
        after = ""
        while ids := await self._ids_after(after):
            after = ids[-1]
            mine = [request_id for request_id in ids if zlib.crc32(request_id.encode()) % of == number]
            wanted = await self._without_summary(mine)
            histories, twins = await self._records.whole_histories(self._connection, wanted)
            await self._store(await _folded(list(histories.items())), twins)
            done(len(mine))

    async def _arrived(self, piece: Read, known: KnownTimes, remembered: Remembered) -> tuple[list[Row], set[str]]:
        """The rows of these records, and the requests among them whose own partition is another."""
        rows: list[Row] = []
        astray: set[str] = set()
        for some in parts(piece[0], _WORKED_ON_AT_ONCE):
            arrived = arrive(some, known)
            astray |= remembered.take(arrived)
            rows += [arrival.row() for arrival in arrived]
            await asyncio.sleep(0)  # the part before is written meanwhile
        return rows, astray

    async def _append(self, rows: Sequence[Row], astray: set[str], moved: tuple[Partition, int, int]) -> None:
        async def work(tx: Connection) -> None:
            if missing := self._months.missing([row.known_us for row in rows]):
                await self._months.make(tx, missing)
            await self._records.append(tx, rows)
            await note_astray(tx, astray)
            await move(tx, *moved)

        await self._writer.run(work)

    async def _store(self, summaries: Sequence[Summary], twins: Sequence[Place]) -> None:
        async def work(tx: Connection) -> None:
            await self._summaries.copy(tx, summaries)
            await self._records.demote(tx, twins)

        await self._writer.run(work)

    async def _ids_after(self, request_id: str) -> list[str]:
        return [id_ for (id_,) in await self._connection.fetch(_IDS, request_id, _REQUESTS_AT_ONCE)]

    async def _without_summary(self, request_ids: Sequence[str]) -> list[str]:
        there = {id_ for (id_,) in await self._connection.fetch(_SUMMARISED, request_ids)}
        return [request_id for request_id in request_ids if request_id not in there]


async def _folded(histories: Sequence[tuple[str, History]]) -> list[Summary]:
    summaries: list[Summary] = []
    for some in parts(histories, _WORKED_ON_AT_ONCE):
        summaries += [summarise(request_id, history) for request_id, history in some]
        await asyncio.sleep(0)
    return summaries


_IDS: Final = f"""
    select distinct request_id from {SHADOW}.records where request_id > $1 order by request_id limit $2
"""
_SUMMARISED: Final = f"select request_id from {SHADOW}.requests where request_id = any($1::text[])"


def parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part
