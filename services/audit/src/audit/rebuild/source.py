"""Where a rebuild reads: the log itself, or the records that were kept of it."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg

from audit.domain.cursor import Partition
from audit.domain.headers import unpack
from audit.domain.reading import TOPICS
from chassis.database import Database
from chassis.errors import Misconfigured
from chassis.kafka import NoAnswer
from chassis.logview import LogView
from chassis.records import Record, parse_quickly
from chassis.settings import ServiceSettings

RECORDS_AT_ONCE: Final = 3_000
"""The most records of one transaction: others' relays wait for it."""

# About as many records as are written at once; a batch that is larger comes whole.
_FETCHED_BYTES: Final = 2 * 1024 * 1024
_ATTEMPTS: Final = 5
_PAUSE_S: Final = 1.0

Places = Mapping[Partition, int]
"""Partition → offset."""

Read = tuple[list[Record], int]
"""Records of one partition, and up to where it was read: beyond the last record where the log has holes."""


class Source(Protocol):
    """Gives records in the order of their offsets."""

    async def read(self, partition: Partition, place: int, bound: int) -> Read:
        """The next records from `place` on and before `bound`: some, or none up to where nothing is."""
        ...

    async def close(self) -> None:
        """Lets go of what is held."""
        ...


def pieces(read: Read) -> Iterator[Read]:
    """What was read, in parts that are small enough for a transaction."""
    records, behind = read
    for at in range(0, max(1, len(records)), RECORDS_AT_ONCE):
        part = records[at : at + RECORDS_AT_ONCE]
        last = at + RECORDS_AT_ONCE >= len(records)
        yield part, behind if last else part[-1].offset + 1


@dataclass(frozen=True, slots=True)
class _Coming:
    """A fetch that is under way."""

    partition: Partition
    offset: int
    raw: asyncio.Task[bytes]


class LogSource:
    """Kafka, from whatever offset on, in no group: the live consumer does not notice.

    While records are worked on, the bytes behind them are fetched.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._view = LogView(settings, TOPICS)
        self._coming: _Coming | None = None

    async def check(self, bounds: Places, ids: Mapping[str, str | None]) -> None:
        """Raises Misconfigured where the log is not the one that audit has read, or does not reach as far.

        `ids` are the topics' ids that the offsets in `bounds` count in, as far as they are known.
        """
        there = {topic: str(id_) for topic, id_ in (await self._view.topic_ids()).items()}
        for topic, id_ in ids.items():
            if id_ is not None and there.get(topic) != id_:
                raise Misconfigured(f"topic {topic} was made anew: what it held before would be lost. {_REMEDY}")
        ends, begins = await self._view.ends(bounds), await self._view.beginnings(bounds)
        for place, bound in bounds.items():
            if not (begins[place] == 0 and bound <= ends[place]):
                held = f"{place[0]}/{place[1]} holds offsets {begins[place]} to {ends[place]}"
                raise Misconfigured(f"{held}, and audit has read up to {bound}: the rest would be lost. {_REMEDY}")

    async def read(self, partition: Partition, place: int, bound: int) -> Read:
        """See Source. Raises NoAnswer, and records.Unparsable where the log is damaged."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                records, behind = parse_quickly(*partition, await self._raw(partition, place), place)
                if behind > place:
                    break
                raise NoAnswer(f"{partition[0]}/{partition[1]} gives nothing at {place}, though it reaches to {bound}")
            except NoAnswer:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(_PAUSE_S)
        if behind < bound:
            self._fetch(partition, behind)
        else:
            records = [record for record in records if record.offset < bound]
        return records, min(behind, bound)

    async def close(self) -> None:
        """See Source."""
        await self._drop()
        await self._view.close()

    async def _raw(self, partition: Partition, offset: int) -> bytes:
        coming = self._coming
        if coming is None or (coming.partition, coming.offset) != (partition, offset):
            await self._drop()
            return await self._view.raw(partition, offset, _FETCHED_BYTES)
        self._coming = None
        return await coming.raw

    def _fetch(self, partition: Partition, offset: int) -> None:
        raw = asyncio.create_task(self._view.raw(partition, offset, _FETCHED_BYTES))
        self._coming = _Coming(partition, offset, raw)

    async def _drop(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.raw.cancel()
            await asyncio.gather(coming.raw, return_exceptions=True)


class RecordSource:
    """The kept raw records of another schema: for a projection made anew without Kafka."""

    def __init__(self, db: Database, schema: str) -> None:
        self._db = db
        self._sql = f"""
            select topic, partition, "offset", appended_us, key, headers, value from {schema}.records
            where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4 order by "offset" limit $5
        """

    async def read(self, partition: Partition, place: int, bound: int) -> Read:
        """See Source."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(self._sql, *partition, place, bound, RECORDS_AT_ONCE)
        records = [_record(row) for row in rows]
        return records, bound if len(records) < RECORDS_AT_ONCE else records[-1].offset + 1

    async def close(self) -> None:
        """See Source."""


def _record(row: asyncpg.Record) -> Record:
    topic, partition, offset, appended_us, key, headers, value = row
    return Record(topic, partition, offset, appended_us, key, unpack(headers), value)


_REMEDY: Final = "Bring back Kafka's data, or make the projection from the kept records: rebuild --from-records"
