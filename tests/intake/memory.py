"""Intake's stores in memory: small, right, and able to let another replica be first at a chosen moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from chassis.errors import StaleTransaction
from chassis.idempotency import Claim, First
from chassis.keyring import Keys
from chassis.reservation import Reserved
from chassis.sealing import AesSealer
from chassis.store import Append, Appended, NewEvent
from intake.app.ports import ImportUnit, LiveUnit
from intake.domain import streams
from intake.domain.decide import Known, News, evolve
from intake.domain.imports import Past
from intake.domain.keys import Use
from intake.domain.lines import Line

T = TypeVar("T")


@dataclass
class Tables:
    """What is committed. Several stores may stand on the same tables: they are each other's replicas."""

    known: Known = field(default_factory=Known)
    answers: dict[tuple[str, str], First] = field(default_factory=dict)
    streams: dict[str, list[NewEvent]] = field(default_factory=dict)
    working: set[tuple[str, str]] = field(default_factory=set)
    destroyed: set[str] = field(default_factory=set)
    imported: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def events(self) -> list[NewEvent]:
        return [event for events in self.streams.values() for event in events]


class MemoryLiveStore:
    """`ports.LiveStore` in memory. `before_writing` runs once, when a transaction has read and is about to write."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.before_writing: Callable[[], Awaitable[None]] | None = None
        self.runs = 0

    async def run(self, work: Callable[[LiveUnit], Awaitable[T]]) -> T:
        self.runs += 1
        unit = _LiveUnit(self)
        try:
            outcome = await work(unit)
            unit.commit()
            return outcome
        finally:
            self.tables.working -= unit.reserved


class MemoryImportStore:
    """`ports.ImportStore` in memory; as the other one."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.before_writing: Callable[[], Awaitable[None]] | None = None
        self.runs = 0

    async def run(self, work: Callable[[ImportUnit], Awaitable[T]]) -> T:
        self.runs += 1
        unit = _ImportUnit(self)
        outcome = await work(unit)
        unit.commit()
        return outcome


class _Unit:
    def __init__(self, store: MemoryLiveStore | MemoryImportStore) -> None:
        self._store = store
        self._tables = store.tables
        self._appended: dict[str, list[NewEvent]] = {}
        self._held: set[str] = set()

    async def hold(self, streams: Iterable[str]) -> None:
        assert not self._appended, "locks come before anything is written"
        self._held |= set(streams)

    async def keys(self, key_ids: Iterable[str]) -> Keys:
        wanted = set(key_ids)
        destroyed = wanted & self._tables.destroyed
        return Keys(AesSealer(dict.fromkeys(wanted - destroyed, bytes(32))), (), frozenset(destroyed))

    async def append(self, appends: Sequence[Append]) -> Appended:
        times: dict[str, int] = {}
        for append in appends:
            assert append.expected == 0 or append.stream in self._held, "a stream that may exist is held before"
            before = self._tables.streams.get(append.stream, [])
            if append.expected == 0 and before:
                raise StaleTransaction(f"a stream was there already: {append.stream}")
            floor = before[-1].occurred_us if before else -1
            for event in append.events:
                floor = max(event.occurred_us, floor + 1) if append.stamp else event.occurred_us
                times[event.event_id] = floor
            self._appended.setdefault(append.stream, []).extend(append.events)
        versions = {name: len(self._tables.streams.get(name, [])) + len(new) for name, new in self._appended.items()}
        types = Counter(event.type for events in self._appended.values() for event in events)
        return Appended(versions, times, frozenset(), types)

    def commit(self) -> None:
        for stream, events in self._appended.items():
            self._tables.streams.setdefault(stream, []).extend(events)

    async def _about_to_write(self) -> None:
        hook, self._store.before_writing = self._store.before_writing, None
        if hook is not None:
            await hook()


class _LiveUnit(_Unit):
    def __init__(self, store: MemoryLiveStore) -> None:
        super().__init__(store)
        self._news = News()
        self._claims: list[Claim] = []
        self.reserved: set[tuple[str, str]] = set()

    async def reserve(self, uses: Sequence[Use]) -> Reserved:
        wanted = {(use.scope, use.key) for use in uses}
        first = {key: self._tables.answers[key] for key in wanted & self._tables.answers.keys()}
        busy = (wanted & self._tables.working) - first.keys()
        self.reserved = wanted - busy
        self._tables.working |= self.reserved
        return Reserved(first, frozenset(busy))

    async def known(self, requests: Iterable[str], threads: Iterable[UUID], identifiers: Iterable[UUID]) -> Known:
        there = self._tables.known
        found = {thread: there.threads[thread] for thread in threads if thread in there.threads}
        wanted = {*requests, *found.values()}
        return Known(
            {name: there.customers[name] for name in wanted if name in there.customers},
            found,
            {name: there.identities[name] for name in identifiers if name in there.identities},
        )

    async def learn(self, news: News) -> None:
        await self._about_to_write()
        there = self._tables.known
        for mine, theirs in ((news.threads, there.threads), (news.identities, there.identities)):
            if mine.keys() & theirs.keys():
                raise StaleTransaction("another replica learned the same at this moment")
        self._news = news

    async def claim(self, claims: Sequence[Claim]) -> None:
        if any((claim.scope, claim.key) in self._tables.answers for claim in claims):
            raise StaleTransaction("a key was used by another replica at this moment")
        self._claims = list(claims)

    def commit(self) -> None:
        super().commit()
        evolve(self._tables.known, self._news)
        for claim in self._claims:
            self._tables.answers[claim.scope, claim.key] = First(claim.hash, claim.answer)


class _ImportUnit(_Unit):
    def __init__(self, store: MemoryImportStore) -> None:
        super().__init__(store)
        self._taken: dict[UUID, UUID] = {}

    async def past(self, lines: Sequence[Line]) -> Past:
        tables = self._tables
        live = {line.request_id for line in lines if line.request_id in tables.streams}
        stated = {UUID(event.event_id) for event in tables.events if event.source != streams.IMPORTS}
        taken = {line.event_id: tables.imported[line.event_id] for line in lines if line.event_id in tables.imported}
        return Past(live, stated & {line.event_id for line in lines}, taken)

    async def take(self, lines: Sequence[Line]) -> None:
        await self._about_to_write()
        self._taken = {line.event_id: line.content for line in lines}
        if self._taken.keys() & self._tables.imported.keys():
            raise StaleTransaction("another replica learned the same at this moment")

    def commit(self) -> None:
        super().commit()
        self._tables.imported |= self._taken
