"""The consumer loop: batches from Kafka, effects and offsets in one PostgreSQL transaction, fenced by epochs.

How it stays right whatever dies when:

- The offset row moves in the transaction of the effects, and only from the offset and epoch that this process holds.
- Of records without any effect here the row moves later, once a second at most: they may be read again.
- An epoch is claimed once for each assignment, outside of Kafka's callbacks, before the first record is taken.
- After anything unclear (a lost commit, a rebalance, an error) what is held is forgotten and claimed anew.
- Kafka's own committed offset is a hint for tools; positions are always sought from the row.
- A log that is not the one that was read (another topic id, an offset outside of it) halts the consumer.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Final, Protocol

import asyncpg
import structlog

from chassis import metrics as catalogue
from chassis import offsets
from chassis.assignment import Assignment, Chunks, Gap, Halted
from chassis.backoff import Backoff
from chassis.caution import Caution, Parks, RecordFailed
from chassis.clock import Clock, SystemClock
from chassis.database import Connection, Database
from chassis.errors import Transient
from chassis.group import Astray, Group, Unreadable, pause_for
from chassis.kafka import NoAnswer
from chassis.lag import Lag
from chassis.logview import LogView
from chassis.metrics import Metrics
from chassis.offsets import FenceLost, Step
from chassis.positions import Position, Positions
from chassis.readiness import OK, Finding, degraded, down
from chassis.records import Reads, Record
from chassis.settings import ServiceSettings

__all__ = ["AfterCommit", "BatchHandler", "Consumer", "Partition", "Position", "Record"]

AfterCommit = Callable[[], None]
Partition = tuple[str, int]
_WITHIN_S: Final = 9.0
# No broker is wiped, started and filled beyond an old offset in less.
_LOOK_S: Final = 2.0
_HINT_S: Final = 5.0
_SETTLE_S: Final = 1.0
_HALTED_S: Final = 5.0
_ORPHANED_S: Final = 60.0
_UNANSWERED: Final = 3
_log = structlog.get_logger(__name__)


class BatchHandler(Protocol):
    """What a service does with records."""

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """Write the effects of `records` (several partitions, each in order) inside `tx`.

        What is returned runs after the commit: caches are changed there and nowhere else. An exception rolls the batch
        and its offsets back; the batch is tried again.
        """
        ...

    def lost(self, partitions: Iterable[Partition]) -> None:
        """Forget what is cached of these (topic, partition): another process may have moved them on."""
        ...


class Consumer:
    """One named consumer of some topics, one task. Its replicas share the partitions by Kafka's group protocol."""

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        *,
        db: Database,
        settings: ServiceSettings,
        handler: BatchHandler,
        metrics: Metrics,
        most: int = 5_000,
        parking: Parks | None = None,
        clock: Clock | None = None,
        gather_ms: int | None = None,
        read: Reads | None = None,
    ) -> None:
        """`topics` are logical names; `most` is the greatest batch in records; `gather_ms`, where given, stands for the
        settings'. `read` is called with each record as soon as it has come, which is often while the batch before is
        written; what was read from the log in another way has no `content`.

        With `parking` (a `Dispatch` is both) a record that cannot be handled is set aside after bounded attempts;
        without, the consumer waits at it and `/readyz` says so.
        """
        self.name = name
        self._handler = handler
        self._most = most
        gather_ms = settings.gather_ms if gather_ms is None else gather_ms
        self._group = partial(Group, settings, name, topics, most=most, gather_ms=gather_ms, read=read)
        self._writer = db.writer()
        self._view = LogView(settings, topics)
        self._mine = Assignment(name, settings.replica, self._writer, self._view, handler.lost)
        self._caution = Caution(parking)
        self._positions = Positions(name, topics, db, settings, clock or SystemClock())
        self._stopping = asyncio.Event()
        self._looked_at = self._hinted_at = 0.0
        self._unanswered = 0
        self._halted: str | None = None
        self._trouble: str | None = None
        self._lag = Lag(name, metrics)
        self._consumed = metrics.counter(catalogue.CONSUMED_TOTAL).labels(name)
        self._fenced = metrics.counter(catalogue.FENCED_TOTAL).labels(name)

    async def run(self) -> None:
        """Consume until `stop()`. Kafka's and PostgreSQL's absence is waited out."""
        backoff = Backoff(first_s=0.1, most_s=5.0)
        try:
            while not self._stopping.is_set():
                await self._term(backoff)
        finally:
            await self._view.close()
            await self._positions.close()

    def stop(self) -> None:
        """Ask `run` to end after the batch in hand."""
        self._stopping.set()

    def check(self) -> Finding:
        """For `/readyz`: a halt with its remedy, the last error, partitions that turned out to be another's."""
        if self._halted is not None:
            return down(self._halted)
        if self._trouble is not None:
            return degraded(self._trouble)
        if self._mine.dropped:
            return degraded("another process took partitions over; waiting for the next assignment")
        return OK

    @property
    def held(self) -> frozenset[Partition]:
        """The partitions that this process holds at this moment: others may have them in the next."""
        return frozenset(self._mine.held)

    async def positions(self) -> list[Position]:
        """Where every partition of the topics stands, over all replicas, for audit's `/v1/positions`."""
        return await self._positions.read(self._mine.held)

    async def _term(self, backoff: Backoff) -> None:
        """One membership after another, waiting longer between them while they fail."""
        try:
            await self._membership(backoff)
        except Halted as halt:
            self._halt(str(halt))
            await pause_for(self._stopping, _HALTED_S)
        except Transient as error:
            self._note(error)
            await pause_for(self._stopping, backoff.next_s())

    async def _membership(self, backoff: Backoff) -> None:
        """Join, consume, leave. Ends by the stop, or raises what needs a new client: Halted, Transient."""
        group = self._group()
        try:
            await group.join()
            while not self._stopping.is_set():
                await self._turn(group, backoff)
            await self._mine.settle_at_last()
        finally:
            await self._hint(group)
            self._mine.leave()
            self._lag.forget()
            await group.leave()

    async def _turn(self, group: Group, backoff: Backoff) -> None:
        """One step of the loop. Whatever goes wrong in it is waited out, and what is held is claimed anew."""
        try:
            if group.generation != self._mine.generation:
                await self._claim(group)
            await self._look(group)
            chunks = await self._poll(group)
            if group.generation is None or group.generation != self._mine.generation:
                return  # What came may be another's by now; the next turn claims.
            await self._apply(group, chunks)
            await self._tend(group)
        except FenceLost as lost:
            self._fenced.inc()
            self._mine.drop(lost.partitions)
            group.pause(lost.partitions)
            self._rewind(group)
        except (Halted, _Orphaned):
            raise
        except Astray:
            self._mine.forget()
        # Whatever a handler raises: the batch stays where it is, is tried again, and `/readyz` says why.
        except Exception as error:  # noqa: BLE001
            self._note(error)
            self._mine.forget()
            self._refuse_silence(error)
            await pause_for(self._stopping, backoff.next_s())
        else:
            self._trouble = self._halted = None
            self._unanswered = 0
            backoff.reset()

    async def _claim(self, group: Group) -> None:
        await self._mine.settle_at_last()
        await self._mine.claim(group)
        self._lag.forget()
        self._caution.begin(group, self._mine.held)

    async def _poll(self, group: Group) -> Chunks:
        self._caution.resume_due(group, self._mine.held)
        try:
            found = await group.poll()
            fresh = {place: self._mine.fresh(place, found[place]) for place in found if place in self._mine.held}
        except (Unreadable, Gap) as error:
            _log.warning("log_read_raw", consumer=self.name, reason=str(error))
            return await self._mine.reread(group, self._most)
        return {place: (records, records[-1].offset + 1) for place, records in fresh.items() if records}

    async def _apply(self, group: Group, found: Chunks) -> None:
        passed = self._caution.passed_over(found)
        self._moved(group, {place: found[place] for place in passed})
        rest = {place: chunk for place, chunk in found.items() if place not in passed}
        if rest:
            await self._take_effect(group, rest)

    async def _take_effect(self, group: Group, found: Chunks) -> None:
        if self._caution.is_unsure(found.keys()):
            await self._mine.settle()
        chunks = await self._caution.cut(found, self._mine.held, self._count_attempt)
        try:
            after = await self._written(chunks)
        except Transient:
            self._caution.forgive(chunks.keys())
            raise
        except RecordFailed as failed:
            self._caution.failed(group, self._mine.held, failed)
            self._rewind(group)
            return
        self._committed(group, chunks)
        if after is not None:
            after()
        if any(chunks[place][1] != found[place][1] for place in chunks):
            self._rewind(group)

    async def _written(self, chunks: Chunks) -> AfterCommit | None:
        """All that a batch writes: the fence goes with the begin, the offsets with the commit. Raises FenceLost."""
        held = [self._mine.held[place] for place in chunks]
        steps = [
            Step(each, behind, records[-1].timestamp_us if records else None)
            for each, (records, behind) in zip(held, chunks.values(), strict=True)
        ]

        async def effects(tx: Connection, status: str) -> AfterCommit | None:
            await offsets.refuse_fewer(tx, self.name, held, status)
            after = await self._caution.handle(tx, self._handler, chunks)
            written.append(True)
            return after

        written: list[bool] = []
        opening, closing = offsets.holding(self.name, held), offsets.moving(self.name, steps)
        try:
            return await self._writer.opened(opening, effects, closing, within_s=_WITHIN_S)
        except asyncpg.DivisionByZeroError as error:
            if not written:
                raise
            raise FenceLost(frozenset(chunks)) from error

    async def _count_attempt(
        self, places: Sequence[Partition], forgiven: Collection[Partition]
    ) -> dict[Partition, int]:
        held = [self._mine.held[place] for place in places]

        async def count(tx: Connection) -> dict[Partition, int]:
            counted = await offsets.count_attempt(tx, self.name, held, forgiven)
            await self._caution.learn(tx, places)
            return counted

        return await self._writer.run(count)

    def _committed(self, group: Group, chunks: Chunks) -> None:
        self._moved(group, chunks)
        for place in chunks:
            self._mine.held[place].stored_offset = self._mine.held[place].next_offset
        self._caution.succeeded(self._mine.held, chunks)

    def _moved(self, group: Group, chunks: Chunks) -> None:
        for place, (records, behind) in chunks.items():
            held = self._mine.held[place]
            held.next_offset = behind
            if records:
                held.appended_us = records[-1].timestamp_us
            self._lag.show(self._mine.held, place, group.end(place))
        self._consumed.inc(sum(len(records) for records, _ in chunks.values()))

    async def _look(self, group: Group) -> None:
        """Now and then: is it still the same log, and how much of it is left?"""
        if time.monotonic() - self._looked_at > _LOOK_S:
            await self._mine.look()
            # Each fetch tells the log's end: the broker is asked only where none was answered yet.
            unknown = [place for place in self._mine.held if group.end(place) is None]
            asked = await self._view.ends(unknown) if unknown else {}
            for place in self._mine.held:
                self._lag.show(self._mine.held, place, asked.get(place, group.end(place)))
            self._looked_at = time.monotonic()

    async def _tend(self, group: Group) -> None:
        """Now and then: replays, the hint, a way out for partitions that nobody keeps."""
        await self._caution.tend(self._writer, self._mine.held)
        now = time.monotonic()
        if now - self._mine.settled_at > _SETTLE_S:
            await self._mine.settle()
        if now - self._hinted_at > _HINT_S:
            await self._hint(group)
            self._hinted_at = time.monotonic()
        if any(now - since > _ORPHANED_S for since in self._mine.dropped.values()):
            raise _Orphaned("partitions were taken over by a process that did not keep them")

    async def _hint(self, group: Group) -> None:
        await group.hint({place: held.next_offset for place, held in self._mine.held.items()})

    def _rewind(self, group: Group) -> None:
        """Read on from where the effects end: what was fetched beyond was not applied."""
        for place, held in self._mine.held.items():
            group.seek(place, held.next_offset)

    def _halt(self, reason: str) -> None:
        if self._halted != reason:
            _log.error("consumer_halted", consumer=self.name, reason=reason)
        self._halted = reason

    def _refuse_silence(self, error: Exception) -> None:
        """Kafka has not answered several times: a client made anew finds it sooner than one that is confused."""
        if isinstance(error, NoAnswer):
            self._unanswered += 1
            if self._unanswered >= _UNANSWERED:
                self._unanswered = 0
                raise error

    def _note(self, error: Exception) -> None:
        trouble = f"{type(error).__name__}: {error}"
        if self._trouble != trouble:
            known = isinstance(error, Transient)
            _log.warning("consumer_waits", consumer=self.name, reason=trouble, exc_info=None if known else error)
        self._trouble = trouble


class _Orphaned(Transient):
    """Only a new membership brings dropped partitions back."""
