"""How carefully a partition is tried after a failure: attempts counted beforehand, smaller batches, in the end parking.

A failure that names its record is tried again up to that record, then with it alone. One that took the process with it
names nothing: there the batch shrinks with each attempt until a single record is left.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Protocol

import asyncpg
import structlog

from chassis.database import Writer
from chassis.errors import Poison
from chassis.group import Group
from chassis.offsets import Held
from chassis.records import Record

Partition = tuple[str, int]
AfterCommit = Callable[[], None]
Chunks = dict[Partition, tuple[list[Record], int]]
Count = Callable[[Sequence[Partition], Collection[Partition]], Awaitable[dict[Partition, int]]]

# Attempts at one offset with a whole batch, then with a few records, then with one.
_WHOLE: Final = 2
_FEW: Final = 3
_FEW_RECORDS: Final = 32
_FIRST_WAIT_S: Final = 0.1
_MOST_WAIT_S: Final = 5.0
_log = structlog.get_logger(__name__)


class RecordFailed(Exception):
    """A handler failed on this record; the reason is its `__cause__`."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.topic}/{record.partition}/{record.offset}")
        self.record = record


def together(afters: Iterable[AfterCommit | None]) -> AfterCommit | None:
    """One call for all of them."""
    wanted = [after for after in afters if after is not None]

    def run() -> None:
        for after in wanted:
            after()

    return run if wanted else None


class Handles(Protocol):
    """The part of a BatchHandler that is needed here."""

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None: ...


class Parks(Protocol):
    """Whoever can set a record aside. `attempts` are made before; a `Poison` is parked after the first."""

    attempts: int

    async def learn(self, tx: asyncpg.Connection, places: Collection[Partition]) -> None:
        """Read what `passes_over` has to know of these partitions."""
        ...

    def passes_over(self, record: Record) -> bool:
        """Whether nothing at all would be written of this record. False where that is not known."""
        ...

    async def park(self, tx: asyncpg.Connection, record: Record, reason: str, attempts: int) -> AfterCommit | None:
        """Keep the record with the reason; later ones of its key will wait with it."""
        ...

    async def tend(self, writer: Writer, held: Mapping[Partition, Held]) -> None:
        """Replay what was marked for it, in the held partitions."""
        ...


@dataclass(frozen=True, slots=True)
class _Bad:
    """The record that a partition failed at."""

    offset: int
    reason: str
    hopeless: bool


class Caution:
    """The state of this policy for the held partitions. Costs nothing while all goes well."""

    def __init__(self, parks: Parks | None) -> None:
        self._parks = parks
        self._unsure: set[Partition] = set()
        self._bad: dict[Partition, _Bad] = {}
        self._tries: dict[Partition, int] = {}
        self._forgiven: set[Partition] = set()
        self._waiting: dict[Partition, float] = {}

    def begin(self, group: Group, held: Mapping[Partition, Held]) -> None:
        """After a claim nobody knows how the last attempt ended: the next one is counted."""
        if self._parks is None:
            return
        group.resume(self._waiting)
        self._waiting.clear()
        self._unsure = set(held)
        self._bad = {place: bad for place, bad in self._bad.items() if place in held}

    def passed_over(self, found: Chunks) -> set[Partition]:
        """The partitions whose records have no effects at all, so that their offsets may move later than they are read.

        Where an attempt may have failed every offset moves at once: attempts are counted at the one that is stored.
        """
        parks = self._parks
        if parks is None:
            return set()
        return {
            place
            for place, (records, _) in found.items()
            if place not in self._unsure and all(map(parks.passes_over, records))
        }

    def is_unsure(self, places: Collection[Partition]) -> bool:
        """Whether attempts are counted at any of these."""
        return not self._unsure.isdisjoint(places)

    async def learn(self, tx: asyncpg.Connection, places: Collection[Partition]) -> None:
        """See Parks."""
        if self._parks is not None:
            await self._parks.learn(tx, places)

    async def cut(self, found: Chunks, held: Mapping[Partition, Held], count: Count) -> Chunks:
        """What to take of these records now, the attempts at it counted and committed."""
        unsure = sorted(self._unsure & found.keys())
        if not unsure:
            return found
        self._tries.update(await count(unsure, self._forgiven))
        self._forgiven.difference_update(unsure)
        return {
            place: self._shortened(place, chunk, held) if place in unsure else chunk for place, chunk in found.items()
        }

    async def handle(self, tx: asyncpg.Connection, handler: Handles, chunks: Chunks) -> AfterCommit | None:
        """Hand the records to the handler, but those that were tried often enough to the parking."""
        parked = [place for place, (records, _) in chunks.items() if self._given_up(place, records)]
        usual = [record for place, (records, _) in chunks.items() if place not in parked for record in records]
        afters = [await handler.handle(tx, usual)] if usual else []
        afters += [await self._park(tx, chunks[place][0][0]) for place in parked]
        return together(afters)

    def failed(self, group: Group, held: Mapping[Partition, Held], failure: RecordFailed) -> None:
        """A record failed: next comes what is before it, then it alone, after a wait that others do not share."""
        record, cause = failure.record, failure.__cause__
        place = record.topic, record.partition
        bad = _Bad(record.offset, f"{type(cause).__name__}: {cause}", isinstance(cause, Poison))
        self._bad[place] = bad
        self._unsure.add(place)
        tries = self._tries.get(place, 0)
        _log.warning("record_failed", record=str(failure), reason=bad.reason, attempts=max(1, tries), exc_info=cause)
        if not bad.hopeless and record.offset == held[place].next_offset:
            self._waiting[place] = time.monotonic() + min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** max(0, tries - 1))
            group.pause([place])

    def forgive(self, places: Collection[Partition]) -> None:
        """The last attempt failed for a reason outside of the records: it does not count."""
        self._forgiven |= self._unsure & set(places)

    def succeeded(self, held: Mapping[Partition, Held], places: Collection[Partition]) -> None:
        """The partitions have moved on: attempts begin at nothing again."""
        if not self._unsure:
            return
        for place in places:
            self._tries.pop(place, None)
            bad = self._bad.get(place)
            if bad is not None and bad.offset < held[place].next_offset:
                del self._bad[place]
                bad = None
            if bad is None:
                self._unsure.discard(place)

    def resume_due(self, group: Group, held: Mapping[Partition, Held]) -> None:
        """Let partitions whose wait is over be fetched again."""
        if not self._waiting:
            return
        now = time.monotonic()
        over = [place for place, until in self._waiting.items() if until <= now]
        for place in over:
            del self._waiting[place]
        group.resume(place for place in over if place in held)
        for place in held if over else ():
            group.seek(place, held[place].next_offset)

    async def tend(self, writer: Writer, held: Mapping[Partition, Held]) -> None:
        """See Parks."""
        if self._parks is not None and held:
            await self._parks.tend(writer, held)

    def _shortened(
        self, place: Partition, chunk: tuple[list[Record], int], held: Mapping[Partition, Held]
    ) -> tuple[list[Record], int]:
        records, behind = chunk
        bad, tries = self._bad.get(place), self._tries[place]
        if bad is not None and bad.offset > held[place].next_offset:
            kept = [record for record in records if record.offset < bad.offset]
        elif bad is not None or tries > _FEW:
            kept = records[:1]
        else:
            kept = records if tries <= _WHOLE else records[:_FEW_RECORDS]
        if self._parks is not None and tries > 1:
            # What has no effects is not what failed, and it may stand before that in any number.
            kept = list(takewhile(self._parks.passes_over, kept)) or kept
        return kept, behind if len(kept) == len(records) else records[len(kept)].offset

    def _given_up(self, place: Partition, records: list[Record]) -> bool:
        if self._parks is None or len(records) != 1 or place not in self._unsure:
            return False
        if self._parks.passes_over(records[0]):
            return False
        bad = self._bad.get(place)
        if bad is not None and bad.offset != records[0].offset:
            return False
        return (bad is not None and bad.hopeless) or self._tries[place] > self._parks.attempts

    async def _park(self, tx: asyncpg.Connection, record: Record) -> AfterCommit | None:
        assert self._parks is not None
        place = record.topic, record.partition
        bad = self._bad.get(place)
        reason = bad.reason if bad else "the process ended each time while it was being handled"
        return await self._parks.park(tx, record, reason, max(1, self._tries[place] - 1))
