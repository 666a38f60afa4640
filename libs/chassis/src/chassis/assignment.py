"""What this process holds of the log: partitions claimed under an epoch, verified against the log they count in."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Protocol
from uuid import UUID

import structlog

from chassis import offsets
from chassis.database import Writer
from chassis.errors import Transient
from chassis.kafka import MAX_RECORD_BYTES, NoAnswer
from chassis.logview import LogView
from chassis.offsets import FenceLost, Held, Step
from chassis.records import Record, Unparsable
from events.catalogue import TOPICS

Partition = tuple[str, int]
Lost = Callable[[Iterable[Partition]], None]
Chunks = dict[Partition, tuple[list[Record], int]]
"""For each partition its records and the offset behind them."""

_CLAIM_S: Final = 9.0
_SETTLE_S: Final = 4.5
_LAST_S: Final = 1.0
_REMEDY: Final = (
    "bring back Kafka's data as they were, or, if they are lost for good, rebuild this service's read models "
    "from the new log (docs/operations.md)"
)
_log = structlog.get_logger(__name__)


class Assigns(Protocol):
    """The part of a Group that says what is ours and since when."""

    @property
    def generation(self) -> int | None: ...
    @property
    def assigned(self) -> frozenset[Partition]: ...
    def seek(self, place: Partition, offset: int) -> None: ...


class Halted(Exception):
    """The log is not the one that the stored offsets count in: going on would lose or repeat in silence."""


class Assignment:
    """The held partitions of one consumer. After anything unclear they are forgotten and claimed anew."""

    def __init__(self, consumer: str, holder: str, writer: Writer, view: LogView, lost: Lost) -> None:
        self._consumer = consumer
        self._holder = holder
        self._writer = writer
        self._view = view
        self._lost = lost
        self.held: dict[Partition, Held] = {}
        self.dropped: dict[Partition, float] = {}
        """Partitions that turned out to be another's, and when (monotonic s): left alone until assigned anew."""
        self.settled_at = 0.0
        """When all that is held was stored last (monotonic s)."""
        self._last: int | None = None
        self.generation: int | None = None
        """The group's generation that was claimed; None where the next thing to do is to claim."""

    async def claim(self, group: Assigns) -> None:
        """Take over what the group has assigned, and go to where its effects end.

        Raises Halted, NoAnswer, Unavailable.
        """
        self.forget()
        generation = group.generation
        if generation is None:
            return
        if generation != self._last:
            self.dropped = {}
            self._last = generation
        assigned = sorted(group.assigned - self.dropped.keys())
        held: list[Held] = []
        if assigned:
            ids = await self._ids(assigned)
            held = await self._writer.run(
                lambda tx: offsets.claim(tx, self._consumer, self._holder, assigned, ids), within_s=_CLAIM_S
            )
            await self._verify(held, ids)
        if group.generation != generation:
            return
        for each in held:
            group.seek(each.place, each.next_offset)
        self.held = {each.place: each for each in held}
        self.generation = generation
        _log.info("partitions_claimed", consumer=self._consumer, partitions=len(held))

    async def settle(self, within_s: float = _SETTLE_S) -> None:
        """Store how far partitions are that have moved on over records without effects. Raises FenceLost."""
        behind = [each for each in self.held.values() if each.stored_offset != each.next_offset]
        steps = [Step(each, each.next_offset, each.appended_us) for each in behind]
        if steps:
            await self._writer.run(lambda tx: offsets.advance(tx, self._consumer, steps), within_s=within_s)
            for step in steps:
                step.held.stored_offset = step.next_offset
        self.settled_at = time.monotonic()

    async def settle_at_last(self) -> None:
        """Before all is given up. Whoever comes next reads again what could not be stored."""
        with suppress(FenceLost, Transient):
            await self.settle(_LAST_S)

    def forget(self) -> None:
        """Hold nothing: caches of these partitions are no longer true, as others may move them on."""
        self._lost(list(self.held))
        self.held, self.generation = {}, None

    def leave(self) -> None:
        """The membership ends, and with it its count of generations."""
        self.forget()
        self.dropped, self._last = {}, None

    def drop(self, places: Iterable[Partition]) -> None:
        """The fence is lost: leave these partitions alone until they are assigned anew."""
        places = [place for place in places if place in self.held]
        self._lost(places)
        for place in places:
            del self.held[place]
            self.dropped[place] = time.monotonic()
        _log.warning("fence_lost", consumer=self._consumer, partitions=places)

    async def look(self) -> None:
        """Compare the topics' ids with those of the offsets. Raises Halted, NoAnswer."""
        if self.held:
            _refuse_other_topics(self.held.values(), await self._ids(list(self.held)))

    def fresh(self, place: Partition, records: list[Record]) -> list[Record]:
        """What is new of these records. Raises Gap where some are missing in a log that has no holes."""
        held = self.held[place]
        new = [record for record in records if record.offset >= held.next_offset]
        if new and not TOPICS[place[0]].compacted and new[-1].offset - held.next_offset + 1 != len(new):
            raise Gap(place)
        return new

    async def reread(self, group: Assigns, most: int) -> Chunks:
        """The next records of each partition by our own parser, which takes what aiokafka's does not."""
        chunks: Chunks = {}
        for place, held in self.held.items():
            try:
                records, behind = await self._view.read(place, held.next_offset, MAX_RECORD_BYTES)
            except Unparsable as error:
                raise Halted(f"the log of {place[0]}/{place[1]} is damaged: {error}; restore Kafka's data") from error
            if behind > held.next_offset:
                kept = records[:most]
                chunks[place] = kept, behind if len(kept) == len(records) else kept[-1].offset + 1
        for place, held in self.held.items():
            group.seek(place, chunks[place][1] if place in chunks else held.next_offset)
        return chunks

    async def _ids(self, assigned: list[Partition]) -> Mapping[str, UUID]:
        ids = await self._view.topic_ids()
        missing = sorted({topic for topic, _ in assigned} - ids.keys())
        if missing:
            raise NoAnswer(f"there is no topic {', '.join(missing)} yet")
        return ids

    async def _verify(self, held: list[Held], ids: Mapping[str, UUID]) -> None:
        _refuse_other_topics(held, ids)
        places = [each.place for each in held]
        begins, ends = await self._view.beginnings(places), await self._view.ends(places)
        for each in held:
            if not begins[each.place] <= each.next_offset <= ends[each.place]:
                there = f"{begins[each.place]} to {ends[each.place]}"
                raise Halted(f"{_shown(each)} is outside of the log, which has {there}: {_REMEDY}")


class Gap(Exception):
    """Offsets are missing between records: only a look at the log itself can tell whether records are."""

    def __init__(self, place: Partition) -> None:
        super().__init__(f"{place[0]}/{place[1]}")
        self.place = place


def _refuse_other_topics(held: Iterable[Held], ids: Mapping[str, UUID]) -> None:
    for each in held:
        if each.topic_id is not None and each.topic_id != ids[each.topic]:
            raise Halted(f"topic {each.topic} was made anew since {_shown(each)} was stored: {_REMEDY}")


def _shown(held: Held) -> str:
    return f"offset {held.next_offset} of {held.topic}/{held.partition}"
