"""One transaction on requests: read once, kept in memory, written together at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import asyncpg
import orjson

from chassis import store
from chassis.clock import Clock
from chassis.errors import StaleTransaction
from chassis.facts import event_of
from chassis.store import Append, Appended, NewEvent
from chassis.trace import current_traceparent
from escalation.adapters import rows
from escalation.adapters.rules import RuleTable
from escalation.app.ports import Kept, Seal
from escalation.domain.clocks import Ending
from escalation.domain.request import SOURCE, Change, Request, Statement
from escalation.domain.rules import Rules
from events.contacts.promises import SlaBreached
from events.times import to_us

_BREACHED: Final = """
insert into breaches (request_id, promise, cycle, event_id, due_us, detected_us, fact)
select request_id, promise, cycle, event_id, due_us, detected_us, fact::jsonb
from unnest($1::text[], $2::text[], $3::int[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[])
     i(request_id, promise, cycle, event_id, due_us, detected_us, fact)
order by request_id, promise, cycle on conflict do nothing
"""
_CORRECTED: Final = """
update breaches b set corrected_us = $4
from unnest($1::text[], $2::text[], $3::int[]) i(request_id, promise, cycle)
where (b.request_id, b.promise, b.cycle) = (i.request_id, i.promise, i.cycle) and b.corrected_us is null
"""
_OVERTURNED: Final = (Ending.MET, Ending.DROPPED)


class _Said(NamedTuple):
    request_id: str
    statement: Statement
    seal: Seal | None
    traceparent: str | None


class _Breach(NamedTuple):
    request_id: str
    promise: str
    cycle: int | None
    event_id: str
    due_us: int
    detected_us: int
    fact: str


class SqlUnit:
    """`ports.Unit` on a transaction that holds the streams of `request_ids`; `write` ends it."""

    def __init__(self, tx: asyncpg.Connection, request_ids: Iterable[str], rules: RuleTable, clock: Clock) -> None:
        self._tx = tx
        self._wanted = set(request_ids)
        self._table = rules
        self._clock = clock
        self._rules: Rules | None = None
        self._read: dict[str, Request] | None = None
        self._changed: dict[str, Request] = {}
        self._said: list[_Said] = []

    async def request(self, request_id: str) -> Request | None:
        """See ports.Unit. The first call reads all that the unit is about."""
        if self._read is None:
            found = await self._tx.fetch(rows.FIND, list(self._wanted))
            self._read = {row["request_id"]: rows.request_of(row) for row in found}
        return self._changed.get(request_id) or self._read.get(request_id)

    async def rules(self) -> Rules:
        """See ports.Unit."""
        if self._rules is None:
            self._rules = await self._table.load(self._tx)
        return self._rules

    def keep(self, change: Change, seal: Seal | None = None) -> None:
        """See ports.Unit."""
        request_id = change.request.request_id
        self._changed[request_id] = change.request
        trace = current_traceparent()
        self._said += (_Said(request_id, statement, seal, trace) for statement in change.statements)

    async def write(self) -> Kept:
        """Appends what was stated and writes what was kept. Raises StaleTransaction where a stream is not as read."""
        if not self._changed:
            return Kept({}, Appended({}, {}, frozenset()))
        appended = await self._append()
        kept = [self._stamped(request, appended) for request in self._changed.values()]
        await self._tx.execute(rows.KEEP, *rows.columns_of(kept))
        broken = [_breach(each, appended) for each in self._said if isinstance(each.statement.fact, SlaBreached)]
        await self._note(broken, kept)
        moments = {(request.partition, request.request_id): request.next_us for request in kept}
        return Kept(moments, appended, [breach.detected_us - breach.due_us for breach in broken])

    async def _append(self) -> Appended:
        now_us = self._clock.now_us()
        by_stream: dict[str, list[NewEvent]] = {}
        for said in self._said:
            by_stream.setdefault(said.request_id, []).append(_event(said, now_us))
        appends = [Append(key, self._changed[key].version, tuple(events)) for key, events in by_stream.items()]
        appended = await store.append(self._tx, appends)
        if appended.lost:
            raise StaleTransaction("a request's stream is not as its row says")
        return appended

    def _stamped(self, request: Request, appended: Appended) -> Request:
        """Law 6: what comes next is later than what was stated now."""
        times = [appended.occurred_us[s.statement.event_id] for s in self._said if s.request_id == request.request_id]
        version = appended.versions.get(request.request_id, request.version)
        return replace(request, version=version, last_us=max([request.last_us, *times]))

    async def _note(self, broken: list[_Breach], kept: list[Request]) -> None:
        if broken:
            await self._tx.execute(_BREACHED, *map(list, zip(*broken, strict=True)))
        overturned = [
            (request.request_id, clock.terms.promise, clock.cycle)
            for request in kept
            for clock in request.clocks
            if clock.breached and clock.ended in _OVERTURNED
        ]
        if overturned:
            await self._tx.execute(_CORRECTED, *map(list, zip(*overturned, strict=True)), self._clock.now_us())


def _event(said: _Said, now_us: int) -> NewEvent:
    statement, seal = said.statement, said.seal
    occurred_us = max(now_us, statement.floor_us)
    return event_of(
        statement.fact,
        event_id=statement.event_id,
        source=SOURCE,
        key=said.request_id,
        occurred_us=occurred_us,
        clock_us=now_us if occurred_us > now_us else None,
        causation_id=statement.causation_id,
        traceparent=said.traceparent,
        key_id=None if seal is None else seal.key_id,
        sealer=None if seal is None else seal.sealer,
    )


def _breach(said: _Said, appended: Appended) -> _Breach:
    fact, event_id = said.statement.fact, said.statement.event_id
    assert isinstance(fact, SlaBreached)
    told = orjson.dumps(fact.model_dump(exclude_none=True)).decode()
    due_us, detected_us = to_us(fact.due_at), appended.occurred_us[event_id]
    return _Breach(said.request_id, fact.promise, fact.cycle, event_id, due_us, detected_us, told)
