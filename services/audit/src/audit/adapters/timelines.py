"""Timelines, folded from the raw records when they are asked for."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from audit.adapters.personal import sight_of
from audit.adapters.records import EVER_US
from audit.domain.reading import Said
from chassis.database import Connection, Database
from chassis.keyring import Keyring
from events.lifecycle import Entry, fold, timeline

Row = asyncpg.Record

_EVENTS: Final = """
    select record.known_us, record.topic, record.partition, record."offset", held.request_id,
        record.event_id::text, record.type, record.version, record.source, record.sequence, record.causation_id,
        record.occurred_us, record.value
    from {schema}.requests held
    cross join lateral (
        select * from {schema}.records
        where request_id = held.request_id and known_us between held.first_known_us and held.last_known_us
          and not duplicate and event_id is not null and known_us <= $2
        offset 0
    ) record
    where held.request_id {which}
"""


class SqlTimelines:
    """Reads whole timelines in one schema; see the port `Timelines`."""

    def __init__(self, db: Database, schema: str, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring
        self._one = _EVENTS.format(schema=schema, which="= $1")
        self._many = _EVENTS.format(schema=schema, which="= any($1::text[])")

    async def one(self, request_id: str, *, as_of_us: int | None, personal: bool) -> dict[str, Any] | None:
        """See Timelines."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(self._one, request_id, EVER_US if as_of_us is None else as_of_us)
            return await self._told(connection, request_id, rows, personal=personal) if rows else None

    async def many(self, request_ids: Sequence[str], *, personal: bool) -> list[dict[str, Any]]:
        """See Timelines."""
        async with self._db.connection() as connection:
            by_request: dict[str, list[Row]] = {}
            for row in await connection.fetch(self._many, request_ids, EVER_US):
                by_request.setdefault(row[4], []).append(row)
            return [
                await self._told(connection, request_id, by_request[request_id], personal=personal)
                for request_id in request_ids
                if request_id in by_request
            ]

    async def _told(
        self, connection: Connection, request_id: str, rows: Sequence[Row], *, personal: bool
    ) -> dict[str, Any]:
        entries = [_entry(*row) for row in rows]
        sight = await sight_of(self._keyring, connection, entries, personal=personal)
        as_of_us = max([row[0] for row in rows])
        return timeline(fold(entries), request_id=request_id, as_of_us=as_of_us, open_data=sight.data_of)


def _entry(_known_us: int, topic: str, partition: int, offset: int, _request_id: str, *said: Any) -> Entry:
    stated = Said(*said)
    return stated.entry(stated.data(), f"{topic}/{partition}/{offset}")
