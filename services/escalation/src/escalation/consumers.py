"""The edge to Kafka: which events of the log escalation follows, and how a batch of them becomes one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, Protocol

import asyncpg

from chassis.bodies import check_json
from chassis.caution import AfterCommit, Partition, together
from chassis.clock import Clock
from chassis.database import Writer
from chassis.dispatch import Dispatch
from chassis.errors import Invalid, Poison
from chassis.metrics import Metrics
from chassis.offsets import Held
from chassis.records import Record
from escalation.app.following import take
from escalation.app.ports import Kept, Unit
from escalation.domain.request import SOURCE, Heard
from events.codec import decode
from events.envelope import Envelope

CONSUMER: Final = "escalation"
INTAKE: Final = "/services/intake"
ROUTER: Final = "/services/router"

SOURCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ContactReceived", "MessageReceived", "FeedbackReceived"), INTAKE),
    **dict.fromkeys(("Routed", "OfferClosed", "Connected", "Paused", "Resumed", "Transferred"), ROUTER),
    **dict.fromkeys(("Requeued", "Resolved", "Abandoned", "Reopened"), ROUTER),
}
"""Event type → whose word counts. The same types from elsewhere (imports) are passed over."""


class WritableUnit(Unit, Protocol):
    """A unit in the consumer's transaction."""

    async def write(self) -> Kept:
        """Write what was kept."""
        ...


class Follower:
    """The consumer's handler: a Dispatch whose batches are read and written at once instead of event by event."""

    def __init__(
        self,
        unit: Callable[[asyncpg.Connection, Iterable[str]], WritableUnit],
        told: Callable[[Kept], None],
        lost: Callable[[Iterable[int]], None],
        *,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """`told` hears, after the commit, what a batch has written; `lost` which partitions are no longer ours."""
        self._open = unit
        self._told = told
        self._lost = lost
        self._batch: WritableUnit | None = None
        self._dispatch = Dispatch(
            CONSUMER,
            dict.fromkeys(SOURCES, self._heard),
            source=SOURCE,
            metrics=metrics,
            streams=lambda envelope: [envelope.subject] if _counts(envelope) else [],
            clock=clock,
        )
        self.attempts = self._dispatch.attempts

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """See BatchHandler."""
        batch = self._batch = self._open(tx, {(record.key or b"").decode("utf-8", "replace") for record in records})
        try:
            after = await self._dispatch.handle(tx, records)
        finally:
            self._batch = None
        kept = await batch.write()
        return together([after, lambda: self._told(kept)])

    async def learn(self, tx: asyncpg.Connection, places: Collection[Partition]) -> None:
        """See Parks."""
        await self._dispatch.learn(tx, places)

    def passes_over(self, record: Record) -> bool:
        """See Parks."""
        return self._dispatch.passes_over(record)

    def lost(self, partitions: Iterable[Partition]) -> None:
        """See BatchHandler."""
        gone = list(partitions)
        self._dispatch.lost(gone)
        self._lost([number for _, number in gone])

    async def park(self, tx: asyncpg.Connection, record: Record, reason: str, attempts: int) -> AfterCommit | None:
        """See Parks."""
        return await self._dispatch.park(tx, record, reason, attempts)

    async def tend(self, writer: Writer, held: Mapping[Partition, Held]) -> None:
        """See Parks."""
        await self._dispatch.tend(writer, held)

    async def _heard(self, tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        if not _counts(envelope):
            return None
        if self._batch is not None:
            await take(self._batch, _event(envelope, record), record.partition)
            return None
        # A replay comes alone, in a transaction of its own.
        unit = self._open(tx, [envelope.subject])
        await take(unit, _event(envelope, record), record.partition)
        kept = await unit.write()
        return lambda: self._told(kept)


def _counts(envelope: Envelope) -> bool:
    return SOURCES.get(envelope.type) == envelope.source


def _event(envelope: Envelope, record: Record) -> Heard:
    """Raises Unreadable, and Poison for what the database could not keep."""
    value = record.value or b""
    try:
        check_json(value)
    except Invalid as error:
        raise Poison(f"its payload {error.errors[0]['reason']}") from error
    return Heard(
        event_id=envelope.event_id,
        type=envelope.type,
        request_id=envelope.subject,
        data=decode(envelope.type, envelope.version, value),
        occurred_us=envelope.occurred_us,
        reading_us=envelope.occurred_us if envelope.clock_us is None else envelope.clock_us,
        causation_id=envelope.causation_id,
    )
