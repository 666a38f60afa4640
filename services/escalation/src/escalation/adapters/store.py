"""Requests in PostgreSQL: units of work for commands, for what comes due, and for the consumer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import asyncpg

from chassis import keyed
from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.store import lock_streams
from escalation.adapters import rows
from escalation.adapters.rules import RuleTable
from escalation.adapters.unit import SqlUnit
from escalation.app.ports import Kept, Unit
from escalation.domain.request import Request

T = TypeVar("T")
Told = Callable[[Kept], None]


class SqlStore:
    """`ports.Store`; `told` hears what each committed unit has written."""

    def __init__(self, db: Database, rules: RuleTable, clock: Clock, told: Told) -> None:
        self._db = db
        self._rules = rules
        self._clock = clock
        self.told = told

    async def find(self, request_id: str) -> Request | None:
        """See ports.Store."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(rows.FIND, [request_id])
        return None if row is None else rows.request_of(row)

    async def moments(self, partition: int) -> Mapping[str, int]:
        """See ports.Store."""
        async with self._db.connection() as connection:
            found = await connection.fetch(rows.MOMENTS, partition)
        return {row["request_id"]: row["next_us"] for row in found}

    async def change(self, request_ids: Iterable[str], work: Callable[[Unit], Awaitable[T]]) -> T:
        """See ports.Store."""
        wanted = list(request_ids)

        async def whole(tx: asyncpg.Connection) -> tuple[T, Kept]:
            await lock_streams(tx, wanted)
            unit = self.unit(tx, wanted)
            return await work(unit), await unit.write()

        answer, kept = await keyed.committed(self._db, whole)
        self.told(kept)
        return answer

    async def once(self, request_id: str, use: Use | None, work: Callable[[Unit], Awaitable[bytes]]) -> bytes:
        """See ports.Store."""

        async def whole(tx: asyncpg.Connection) -> tuple[bytes, Kept | None]:
            kept: list[Kept] = []

            async def once() -> bytes:
                await lock_streams(tx, [request_id])
                unit = self.unit(tx, [request_id])
                answer = await work(unit)
                kept.append(await unit.write())
                return answer

            answer = await keyed.once(tx, use, once, now_us=self._clock.now_us())
            return answer, kept[0] if kept else None

        answer, written = await keyed.committed(self._db, whole)
        if written is not None:
            self.told(written)
        return answer

    def unit(self, tx: asyncpg.Connection, request_ids: Iterable[str]) -> SqlUnit:
        """A unit in a transaction that holds, or will hold before the first read, the streams of these requests."""
        return SqlUnit(tx, request_ids, self._rules, self._clock)
