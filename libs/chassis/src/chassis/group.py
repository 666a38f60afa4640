"""Membership in a Kafka consumer group: which partitions are ours, since when, and their records as they come."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    UnsupportedCodecError,
)
from aiokafka.structs import OffsetAndMetadata

from chassis import kafka
from chassis.errors import Transient
from chassis.records import Reads, Record, from_kafka
from chassis.settings import ServiceSettings

Partition = tuple[str, int]

_POLL_S: Final = 0.5
_DEADLINE_S: Final = 10.0
_AT_ONCE: Final = 100
# Reading ahead is for the time in which a handler waits for PostgreSQL: that is for the most part at its batch's end.
_MODESTLY: Final = 4
# So much is worth an answer at once, however short the gathering was.
_PLENTY_BYTES: Final = 64 * 1024
_log = structlog.get_logger(__name__)


class Unreadable(Exception):
    """aiokafka cannot read a record that lies in the log: the positions after this are unknown, seek before polling."""


class Astray(Exception):
    """The log does not have the offset that was asked for, or none was asked for yet."""


class Group(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """One client in the group. Nothing is decided in the callbacks: they count; errors there would be swallowed."""

    def __init__(
        self,
        settings: ServiceSettings,
        name: str,
        topics: Sequence[str],
        *,
        most: int,
        gather_ms: int,
        read: Reads | None = None,
    ) -> None:
        self._settings = settings
        self._topics = list(topics)
        self._names = {kafka.physical(settings, topic): topic for topic in topics}
        self._most = most
        self._gather_ms = gather_ms
        self._read = read
        self._client = kafka.consumer(settings, group=settings.topic_prefix + name, max_poll_records=most)
        self._ahead: asyncio.Task[dict[Partition, list[Record]]] | None = None
        self._count = 0
        self.generation: int | None = None
        """Another number for each assignment; None while there is none, before the first and during a rebalance."""
        self.assigned: frozenset[Partition] = frozenset()

    async def join(self) -> None:
        """Connect and subscribe. Raises NoAnswer."""
        self._client.subscribe(list(self._names), listener=self)
        await kafka.deadline(self._client.start(), _DEADLINE_S, "join the group")

    async def leave(self) -> None:
        """Leave, so that others take over at once; within two seconds."""
        self._forget_ahead()
        await kafka.ended(self._client.stop())

    async def poll(self) -> dict[Partition, list[Record]]:
        """What has come, waiting at most half a second. Raises NoAnswer, Unreadable, Astray.

        Where it is as much as may be, what lies behind it is taken over while these are handled, for the next call.
        """
        ahead, self._ahead = self._ahead, None
        found = {} if ahead is None else await ahead
        await self._fill(found, wait_s=0.0 if found else _POLL_S)
        if sum(map(len, found.values())) >= self._most:
            self._ahead = asyncio.create_task(self._fill({}, wait_s=0.0, turns=_MODESTLY))
        return found

    async def _fill(
        self, found: dict[Partition, list[Record]], *, wait_s: float, turns: int = 1
    ) -> dict[Partition, list[Record]]:
        """Takes over what there is; all others have so many turns between two of its own."""
        left = self._most - sum(map(len, found.values()))
        # A part at a time is made ours while the processor still has it in its caches.
        while left > 0 and (taken := await self._taken(min(left, _AT_ONCE), wait_s)):
            for partition, records in taken.items():
                topic = self._names[partition.topic]
                ours = found.setdefault((topic, partition.partition), [])
                ours += [from_kafka(topic, record, self._read) for record in records]
                left -= len(records)
            wait_s = 0.0
            for _ in range(turns):
                await asyncio.sleep(0)
        return found

    def _forget_ahead(self) -> None:
        """What was read ahead is not what comes next. It never waits for Kafka, so nothing of it goes on after this."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            ahead.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _taken(self, most: int, wait_s: float) -> Any:
        try:
            waiting = asyncio.ensure_future(self._client.getmany(timeout_ms=int(wait_s * 1_000), max_records=most))
            waiting.add_done_callback(self._gather)
            return await kafka.deadline(waiting, _DEADLINE_S, "poll")
        except UnicodeDecodeError as error:
            raise Unreadable("a header key that is not UTF-8") from error
        except kafka.NoAnswer as error:
            raise _meaning(error) from error

    def _gather(self, polled: "asyncio.Future[dict[Any, Any]]") -> None:
        """Some have come, so more will: the next fetch gathers them at the broker while these are handled.

        The fetch after it waits for the first record again, so that one that comes alone is not held up. Called before
        aiokafka's fetcher goes on, which learns of the poll's end by a task of its own.
        """
        gather_ms = self._gather_ms
        if gather_ms and not polled.cancelled() and polled.exception() is None and polled.result():
            kafka.ask_next(self._client, wait_ms=gather_ms, min_bytes=_PLENTY_BYTES)
            asyncio.get_running_loop().call_later(gather_ms / 2_000, self._wait_long)

    def _wait_long(self) -> None:
        kafka.ask_next(self._client, wait_ms=kafka.LONG_POLL_MS, min_bytes=1)

    def seek(self, place: Partition, offset: int) -> None:
        """Go on at `offset`; what was fetched ahead is thrown away. Passed over where the partition is ours no more.

        What was read ahead of other partitions is thrown away too: seek those as well.
        """
        self._forget_ahead()
        try:
            self._client.seek(self._physical(place), offset)
        except (IllegalStateError, KeyError):
            _log.debug("seek_on_lost_partition", topic=place[0], partition=place[1])

    def pause(self, places: Iterable[Partition]) -> None:
        """Fetch nothing more of these until `resume` or the next assignment."""
        for place in places:
            if self._physical(place) in self._client.assignment():
                self._client.pause(self._physical(place))

    def resume(self, places: Iterable[Partition]) -> None:
        """The inverse of `pause`."""
        for place in places:
            if self._physical(place) in self._client.assignment():
                self._client.resume(self._physical(place))

    def end(self, place: Partition) -> int | None:
        """The log's end as the last fetch told it, None before the first one."""
        partition = self._physical(place)
        if partition not in self._client.assignment():
            return None
        found: int | None = self._client.highwater(partition)
        return found

    async def hint(self, offsets: Mapping[Partition, int]) -> None:
        """Tell Kafka how far we are, for tools that ask it. Nothing depends on it: what fails is passed over."""
        ours = {
            self._physical(place): OffsetAndMetadata(offset, "")
            for place, offset in offsets.items()
            if self._physical(place) in self._client.assignment()
        }
        if ours:
            try:
                await kafka.deadline(self._client.commit(ours), 2.0, "commit the hint")
            except Transient as error:
                _log.debug("offset_hint_failed", reason=str(error))

    def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002 - whichever they are, all are given up
        """Called by aiokafka as a rebalance begins."""
        self.generation = None
        self.assigned = frozenset()

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Called by aiokafka as a rebalance ends."""
        self._count += 1
        self.assigned = frozenset((self._names[each.topic], each.partition) for each in assigned)
        self.generation = self._count

    def _physical(self, place: Partition) -> TopicPartition:
        return TopicPartition(kafka.physical(self._settings, place[0]), place[1])


def _meaning(error: kafka.NoAnswer) -> Exception:
    cause = error.__cause__
    if isinstance(cause, OffsetOutOfRangeError | NoOffsetForPartitionError):
        return Astray(str(cause))
    if isinstance(cause, CorruptRecordException | UnsupportedCodecError | RecordTooLargeError):
        return Unreadable(str(cause))
    return error


async def pause_for(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond the stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
