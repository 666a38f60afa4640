"""The kept log read on from a place in it, each partition in the order of its offsets."""

from typing import Final, TypeAlias

import asyncpg

from audit.adapters.personal import sight_of
from audit.app.ports import Told
from audit.domain.cursor import Partition, Vector
from audit.domain.filters import LogFilter
from audit.domain.place import Place
from audit.domain.reading import TOPICS, Said
from audit.domain.telling import Kept, told
from chassis.database import Connection, Database
from chassis.keyring import Keyring
from events.lifecycle import Entry

_Read: TypeAlias = tuple[Kept, Entry | None]

CONSUMER: Final = "audit"

_ENDS: Final = "select topic, partition, next_offset from consumer_offsets where consumer = $1"
_RECORDS: Final = """
    select known_us, topic, partition, "offset", request_id, duplicate, unreadable,
        event_id::text, type, version, source, sequence, causation_id, occurred_us, value
    from {schema}.records
    where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4 {conditions}
    order by "offset" limit {limit:d}
"""


class SqlLog:
    """Reads the log in one schema; see the port `Log`."""

    def __init__(self, db: Database, schema: str, keyring: Keyring) -> None:
        self._db = db
        self._schema = schema
        self._keyring = keyring

    async def page(self, wanted: LogFilter, start: Vector, limit: int, *, personal: bool) -> tuple[list[Told], Vector]:
        """See Log."""
        async with self._db.connection() as connection:
            records, at = await self._read(connection, wanted, start, limit)
            entries = [entry for _, entry in records if entry is not None]
            sight = await sight_of(self._keyring, connection, entries, personal=personal)
        return [
            Told(kept.place, told(kept, entry, None if entry is None else sight.data_of(entry)))
            for kept, entry in records
        ], at

    async def _read(
        self, connection: Connection, wanted: LogFilter, start: Vector, limit: int
    ) -> tuple[list[_Read], Vector]:
        # The ends come first: whatever is taken in while this reads lies beyond them and is left for the next page.
        ends = {(topic, partition): end for topic, partition, end in await connection.fetch(_ENDS, CONSUMER)}
        topics = wanted.topics(TOPICS)
        records: list[_Read] = []
        at = start
        for partition in start.behind(ends):
            if partition[0] in topics:
                room = limit - len(records)
                found = await self._records(connection, wanted, partition, (at[partition], ends[partition]), room)
                records += found
                if len(found) == room:
                    return records, at.moved({partition: found[-1][0].place.offset + 1})
            at = at.moved({partition: ends[partition]})
        return records, at

    async def _records(
        self, connection: Connection, wanted: LogFilter, partition: Partition, span: tuple[int, int], limit: int
    ) -> list[_Read]:
        conditions, arguments = _conditions(wanted)
        sql = _RECORDS.format(schema=self._schema, conditions=conditions, limit=limit)
        return [_kept(row) for row in await connection.fetch(sql, *partition, *span, *arguments)]


def _conditions(wanted: LogFilter) -> tuple[str, list[str | int]]:
    given: list[tuple[str, str | int | None]] = [
        ("type =", wanted.type),
        ("request_id =", wanted.request_id),
        ("occurred_us >=", wanted.from_us),
        ("occurred_us <", wanted.to_us),
    ]
    named = [(condition, value) for condition, value in given if value is not None]
    conditions = [f"and {condition} ${number}" for number, (condition, _) in enumerate(named, start=5)]
    return " ".join(conditions), [value for _, value in named]


def _kept(row: asyncpg.Record) -> _Read:
    known_us, topic, partition, offset, request_id, duplicate, unreadable, *said = row
    kept = Kept(Place(known_us, topic, partition, offset), request_id, duplicate, unreadable)
    if unreadable is not None:
        return kept, None
    stated = Said(*said)
    return kept, stated.entry(stated.data())
