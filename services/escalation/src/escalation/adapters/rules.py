"""Rules in PostgreSQL: read once and from then on only what is new, and made one after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import orjson

from chassis import keyed, store
from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.store import Append, Appended, lock_streams
from chassis.trace import current_traceparent
from escalation.app.ports import RuleUnit
from escalation.domain.request import SOURCE
from escalation.domain.rules import Content, Kind, Rule, Rules
from events.policies import CalendarVersioned, SlaPolicyVersioned

_NEW: Final = "select n, kind, content, from_us from rules where n > $1 order by n"
_ADD: Final = """
insert into rules (n, kind, name, version, from_us, content)
select coalesce(max(n), 0) + 1, $1, $2, $3, $4, $5::text::jsonb from rules
"""
_MODELS: Final[dict[str, type[SlaPolicyVersioned] | type[CalendarVersioned]]] = {
    "sla": SlaPolicyVersioned,
    "calendar": CalendarVersioned,
}
_ALL: Final = "policies"


class RuleTable:
    """What this process knows of the rules: versions never change, so only new ones are read."""

    def __init__(self) -> None:
        self._rules = Rules()
        self._known = 0

    async def load(self, connection: asyncpg.Connection) -> Rules:
        """All that is committed. Call it before the transaction writes rules itself: it may be rolled back."""
        for row in await connection.fetch(_NEW, self._known):
            content = _MODELS[row["kind"]].model_validate_json(row["content"])
            self._rules.add(Rule(row["kind"], content, row["from_us"]))
            self._known = max(self._known, row["n"])
        return self._rules


class SqlRuleStore:
    """`ports.RuleStore`; `told` hears what was appended."""

    def __init__(self, db: Database, table: RuleTable, clock: Clock, told: Callable[[Appended], None]) -> None:
        self._db = db
        self._table = table
        self._clock = clock
        self._told = told

    async def rules(self) -> Rules:
        """See ports.RuleStore."""
        async with self._db.connection() as connection:
            return await self._table.load(connection)

    async def once(self, name: str, use: Use | None, work: Callable[[RuleUnit], Awaitable[bytes]]) -> bytes:
        """See ports.RuleStore."""

        async def whole(tx: asyncpg.Connection) -> tuple[bytes, list[Appended]]:
            appended: list[Appended] = []

            async def once() -> bytes:
                # Policies and calendars of one name share a stream: their events share the subject, and so the count.
                await lock_streams(tx, [_ALL, _stream(name)])
                unit = _SqlRuleUnit(tx, self._table)
                answer = await work(unit)
                appended.extend(await unit.write(self._clock.now_us()))
                return answer

            return await keyed.once(tx, use, once, now_us=self._clock.now_us()), appended

        answer, written = await keyed.committed(self._db, whole)
        for each in written:
            self._told(each)
        return answer


class _SqlRuleUnit:
    """`ports.RuleUnit`."""

    def __init__(self, tx: asyncpg.Connection, table: RuleTable) -> None:
        self._tx = tx
        self._table = table
        self._made: list[tuple[Kind, Content]] = []

    async def rules(self) -> Rules:
        return await self._table.load(self._tx)

    def keep(self, kind: Kind, content: Content) -> None:
        self._made.append((kind, content))

    async def write(self, now_us: int) -> list[Appended]:
        return [await self._add(kind, content, now_us) for kind, content in self._made]

    async def _add(self, kind: Kind, content: Content, now_us: int) -> Appended:
        event = event_of(
            content,
            event_id=new_id(),
            source=SOURCE,
            key=content.name,
            occurred_us=now_us,
            traceparent=current_traceparent(),
        )
        appended = await store.append(self._tx, [Append(_stream(content.name), None, (event,))])
        told = orjson.dumps(content.model_dump(exclude_none=True)).decode()
        from_us = appended.occurred_us[event.event_id]
        await self._tx.execute(_ADD, kind, content.name, content.version, from_us, told)
        return appended


def _stream(name: str) -> str:
    """No request's id holds a slash."""
    return f"{_ALL}/{name}"
