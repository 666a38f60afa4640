"""Where a rebuild reads: the log itself, or the records that were kept of it."""

from collections.abc import Mapping
from typing import Final, Protocol

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, RecordTooLargeError, UnsupportedCodecError

from audit.domain.cursor import Partition
from audit.domain.headers import unpack
from audit.domain.reading import TOPICS
from chassis import kafka
from chassis.database import Database
from chassis.errors import Misconfigured
from chassis.logview import LogView
from chassis.records import Record, from_kafka
from chassis.settings import ServiceSettings

_DEADLINE_S: Final = 15.0
_UNREADABLE: Final = (CorruptRecordException, RecordTooLargeError, UnsupportedCodecError)


Places = Mapping[Partition, int]
"""Partition → offset."""

Read = tuple[list[Record], dict[Partition, int]]
"""Records, and up to where the partitions that moved on were read: beyond the last record where the log has holes."""


class Source(Protocol):
    """Gives records in the order of their offsets within each partition."""

    async def read(self, places: Places, bounds: Places, most: int) -> Read:
        """Up to some `most` records from `places` on and before `bounds`."""
        ...

    async def close(self) -> None:
        """Lets go of what is held."""
        ...


class LogSource:
    """Kafka, from whatever offset on, in no group: the live consumer does not notice."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None
        self._view = LogView(settings, TOPICS)
        self._at: dict[Partition, int] = {}

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

    async def read(self, places: Places, bounds: Places, most: int) -> Read:
        """See Source. Raises NoAnswer."""
        client = await self._assigned(places, bounds)
        try:
            waiting = client.getmany(timeout_ms=500, max_records=most)
            found = await kafka.deadline(waiting, _DEADLINE_S, "read the log")
        except UnicodeDecodeError:
            return await self._raw(places, bounds)
        except kafka.NoAnswer as error:
            if isinstance(error.__cause__, _UNREADABLE):
                return await self._raw(places, bounds)
            raise
        records: list[Record] = []
        for physical, taken in found.items():
            partition = kafka.logical(self._settings, physical.topic), physical.partition
            inside = [from_kafka(partition[0], record) for record in taken if record.offset < bounds[partition]]
            records += inside
            if len(inside) == len(taken):
                self._at[partition] = inside[-1].offset + 1
            else:
                # The client is beyond what was given: the next reading has to go back.
                self._at.pop(partition)
        if not records:
            return await self._raw(places, bounds)
        return records, places_after(records)

    async def close(self) -> None:
        """See Source."""
        if self._client is not None:
            await kafka.ended(self._client.stop())
        await self._view.close()

    async def _assigned(self, places: Places, bounds: Places) -> AIOKafkaConsumer:
        """The client, fetching what is behind its bound and nothing else."""
        if self._client is None:
            self._client = kafka.consumer(self._settings, group=None)
            await kafka.deadline(self._client.start(), _DEADLINE_S, "connect to the log")
            self._client.assign([self._physical(partition) for partition in bounds])
        for partition, bound in bounds.items():
            offset = places.get(partition, 0)
            if self._at.get(partition) != offset:
                self._client.seek(self._physical(partition), offset)
                self._at[partition] = offset
            if offset < bound:
                self._client.resume(self._physical(partition))
            else:
                self._client.pause(self._physical(partition))
        return self._client

    async def _raw(self, places: Places, bounds: Places) -> Read:
        """By the chassis's own parser, which takes what aiokafka's does not, and sees where there are no records."""
        records: list[Record] = []
        moved: dict[Partition, int] = {}
        for partition, bound in bounds.items():
            offset = places.get(partition, 0)
            if offset < bound:
                found, behind = await self._view.read(partition, offset, kafka.MAX_RECORD_BYTES)
                records += [record for record in found if record.offset < bound]
                moved[partition] = min(behind, bound)
        self._at.clear()
        return records, moved

    def _physical(self, partition: Partition) -> TopicPartition:
        return TopicPartition(kafka.physical(self._settings, partition[0]), partition[1])


class RecordSource:
    """The kept raw records of another schema: for a projection made anew without Kafka."""

    def __init__(self, db: Database, schema: str) -> None:
        self._db = db
        self._sql = f"""
            select topic, partition, "offset", appended_us, key, headers, value from {schema}.records
            where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4 order by "offset" limit $5
        """

    async def read(self, places: Places, bounds: Places, most: int) -> Read:
        """See Source."""
        records: list[Record] = []
        moved: dict[Partition, int] = {}
        async with self._db.connection() as connection:
            for partition, bound in bounds.items():
                offset, room = places.get(partition, 0), most - len(records)
                if offset < bound and room > 0:
                    rows = await connection.fetch(self._sql, *partition, offset, bound, room)
                    found = [_record(row) for row in rows]
                    moved[partition] = bound if len(found) < room else found[-1].offset + 1
                    records += found
        return records, moved

    async def close(self) -> None:
        """See Source."""


def _record(row: asyncpg.Record) -> Record:
    topic, partition, offset, appended_us, key, headers, value = row
    return Record(topic, partition, offset, appended_us, key, unpack(headers), value)


def places_after(records: list[Record]) -> dict[Partition, int]:
    """The place behind the last record of each partition."""
    return {(record.topic, record.partition): record.offset + 1 for record in records}


_REMEDY: Final = "Bring back Kafka's data, or make the projection from the kept records: rebuild --from-records"
