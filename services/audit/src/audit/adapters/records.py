"""The raw records in PostgreSQL: appended by COPY, never changed but for the mark of a duplicate."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg

from audit.domain.batch import Row
from audit.domain.history import History, Known, history_of
from audit.domain.months import Month, month_after, month_of
from audit.domain.place import Place
from audit.domain.reading import Said, folded

COLUMNS: Final = Row._fields
EVER_US: Final = 2**63 - 1
"""Later than anything can become known."""

# Raw rows are found by way of the summary: its two times say in which months to look, and unknown ids cost one probe.
_OF_REQUESTS: Final = """
    select record.request_id, record.known_us, record.topic, record.partition, record."offset",
        record.event_id::text, record.type, record.version, record.source, record.sequence, record.causation_id,
        record.occurred_us, record.value
    from {schema}.requests held
    cross join lateral (
        select * from {schema}.records
        where request_id = held.request_id and known_us between held.first_known_us and held.last_known_us
          and not duplicate and event_id is not null and known_us <= $2
        offset 0
    ) record
    where held.request_id = any($1::text[])
"""
_OUTSIDE_OF_REQUESTS: Final = """
    select event_id::text, known_us, topic, partition, "offset" from {schema}.records
    where request_id = '' and event_id = any($1::uuid[]) and not duplicate
"""
_WHOLE: Final = """
    select request_id, known_us, topic, partition, "offset",
        event_id::text, type, version, source, sequence, causation_id, occurred_us, value
    from {schema}.records
    where request_id = any($1::text[]) and event_id is not null
"""
_TWINS: Final = """
    select known_us, topic, partition, "offset" from (
        select known_us, topic, partition, "offset",
            row_number() over (partition by event_id order by known_us, topic, partition, "offset") as number
        from {schema}.records where request_id = '' and event_id is not null
    ) numbered
    where number > 1
"""
_LAST_KNOWN: Final = """
    select known_us from {schema}.records where topic = $1 and partition = $2 order by "offset" desc limit 1
"""
_DEMOTE: Final = """
    update {schema}.records set duplicate = true
    where known_us = $1 and topic = $2 and partition = $3 and "offset" = $4
"""


class Records:
    """The table of raw records in one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._of_requests = _OF_REQUESTS.format(schema=schema)
        self._outside = _OUTSIDE_OF_REQUESTS.format(schema=schema)
        self._whole = _WHOLE.format(schema=schema)
        self._twins = _TWINS.format(schema=schema)
        self._last_known = _LAST_KNOWN.format(schema=schema)
        self._demote = _DEMOTE.format(schema=schema)

    async def append(self, tx: asyncpg.Connection, rows: Iterable[Row]) -> None:
        """Keeps rows; their months must be there."""
        await tx.copy_records_to_table("records", schema_name=self._schema, columns=COLUMNS, records=rows)

    async def demote(self, tx: asyncpg.Connection, places: Sequence[Place]) -> None:
        """Marks rows whose event turned out to have stood at another place before."""
        if places:
            await tx.executemany(self._demote, places)

    async def histories(
        self, connection: asyncpg.Connection, request_ids: Iterable[str], *, as_of_us: int = EVER_US
    ) -> dict[str, History]:
        """The histories, as known at `as_of_us`, of those of the requests that were known then.

        Their events have of the data what the fold needs, and no more.
        """
        found: dict[str, list[Known]] = {}
        rows = await connection.fetch(self._of_requests, list(request_ids), as_of_us)
        for row in rows:
            found.setdefault(row[0], []).append(_known(*row))
        return {request_id: history_of(events) for request_id, events in found.items()}

    async def whole_histories(
        self, connection: asyncpg.Connection, request_ids: Sequence[str]
    ) -> tuple[dict[str, History], list[Place]]:
        """Histories made from all their rows, whatever marks these have, and the places of those that are duplicates.

        Needs no summaries to be there.
        """
        histories: dict[str, History] = {}
        twins: list[Place] = []
        for row in await connection.fetch(self._whole, request_ids):
            history = histories.setdefault(row[0], History())
            if (twin := history.add(_known(*row))) is not None:
                twins.append(twin)
        return histories, twins

    async def twins_outside(self, connection: asyncpg.Connection) -> list[Place]:
        """The places of all records outside of requests whose event stood in the log before."""
        return [Place(*place) for place in await connection.fetch(self._twins)]

    async def seen(self, connection: asyncpg.Connection, event_ids: Sequence[str]) -> dict[str, Place]:
        """The first places of those of the events outside of requests that are known."""
        if not event_ids:
            return {}
        return {event_id: Place(*place) for event_id, *place in await connection.fetch(self._outside, event_ids)}

    async def last_known_us(self, connection: asyncpg.Connection, topic: str, partition: int) -> int:
        """Since when the last record of a partition is known, 0 where there is none."""
        return await connection.fetchval(self._last_known, topic, partition) or 0


def _known(_request_id: str, known_us: int, topic: str, partition: int, offset: int, *said: Any) -> Known:
    stated = Said(*said)
    return Known(Place(known_us, topic, partition, offset), stated.entry(folded(stated.type, stated.data())))


class Months:
    """The partitions of the table of raw records, one a month, made before they are needed."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._there: set[Month] = set()

    def missing(self, known_us: Iterable[int]) -> list[Month]:
        """The months of these times that have not been made by this object, and the ones after them."""
        # Records that were written together have one time: few of the times differ, and fewer of the days.
        days = {us // _DAY_US * _DAY_US for us in set(known_us)}
        wanted = {month for us in days for month in _pair(month_of(us))}
        return sorted(wanted - self._there)

    async def make(self, connection: asyncpg.Connection, months: Sequence[Month]) -> None:
        """Makes months in the caller's transaction. Nobody who reads or writes records is waited for, nor waits."""
        await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"{self._schema}.records")
        for month in months:
            name = f"{self._schema}.records_{month.name}"
            if await connection.fetchval("select to_regclass($1) is not null", name):
                self._there.add(month)
                continue
            # ATTACH takes a far weaker lock on the whole table than CREATE … PARTITION OF does.
            await connection.execute(
                f"create table {name}"
                f" (like {self._schema}.records including defaults including constraints including storage)"
            )
            await connection.execute(
                f"alter table {self._schema}.records attach partition {name}"
                f" for values from ({month.from_us}) to ({month.to_us})"
            )


_DAY_US: Final = 86_400_000_000


def _pair(month: Month) -> tuple[Month, Month]:
    return month, month_after(month)
