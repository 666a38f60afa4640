"""What the router takes from the log: event type → handler, and the order of locks over a whole batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg

from chassis.caution import AfterCommit, Partition, together
from chassis.dispatch import Dispatch, EventHandler
from chassis.records import Record
from chassis.store import lock_streams
from chassis.trace import current_traceparent
from events.codec import decode
from events.envelope import Envelope
from router.app.following import Beginning, Closing, Following
from router.domain.follow import ESCALATION, INTAKE, FollowUp, begun
from router.domain.request import SOURCE
from router.gathering import Books, Gathering

MOST: Final = 200
"""Records in one transaction: it holds their requests, and holds back every relay of the cluster."""

HoldAgents = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[None]]

_ESCALATED: Final = b"throughline.Escalated.v1"


def streams_of(envelope: Envelope) -> Iterable[str]:
    """The stream that handling an event may append to."""
    return [envelope.subject]


def handlers(following: Following, books: Books, gathering: Gathering) -> Mapping[str, EventHandler]:
    """What is done with each type, from its one true source; `/imports` is none."""

    async def begin(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        beginning = Beginning(begun(envelope, _data(envelope, record)), current_traceparent())
        return await gathering.begin(tx, beginning)

    async def follow_up(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        message = FollowUp(envelope.event_id, envelope.occurred_us, record.timestamp_us)
        await gathering.write(tx)
        return await following.follow_up(books(tx), message, envelope.subject, current_traceparent())

    async def escalate(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        await gathering.write(tx)
        return await following.escalate(books(tx), envelope, _data(envelope, record), current_traceparent())

    async def see_closed(tx: asyncpg.Connection, envelope: Envelope, _: Record) -> AfterCommit | None:
        if envelope.sequence is not None:
            await gathering.see_closed(tx, Closing(envelope.subject, envelope.sequence))
        return None

    return {
        "ContactReceived": _only(INTAKE, begin),
        "MessageReceived": _only(INTAKE, follow_up),
        "Escalated": _only(ESCALATION, escalate),
        "Resolved": _only(SOURCE, see_closed),
        "Abandoned": _only(SOURCE, see_closed),
    }


class InOrder:
    """A BatchHandler that takes the locks of a whole batch in their order, and writes at once what it can of it.

    One record after the other frees units, each under its agent's lock: in any other order than the agents' ids two
    transactions could wait for one another in a circle. After a batch that failed, the records are written one by one
    until one goes well: only so is the record known that was at fault.
    """

    def __init__(self, dispatch: Dispatch, hold_agents: HoldAgents, gathering: Gathering) -> None:
        self._dispatch = dispatch
        self._hold_agents = hold_agents
        self._gathering = gathering
        self._one_by_one = False

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """See BatchHandler."""
        escalated = [_text(record.key) for record in records if ("ce_type", _ESCALATED) in record.headers]
        if len(escalated) > 1:
            await lock_streams(tx, {_text(record.key) for record in records})
            await self._hold_agents(tx, escalated)
        try:
            after = await self._handle(tx, records)
        # A batch that was cancelled, as for taking too long, is tried again one by one too.
        except BaseException:
            self._one_by_one = True
            raise
        self._one_by_one = False
        return after

    async def _handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        if self._one_by_one or len(records) == 1:
            return await self._dispatch.handle(tx, records)
        async with self._gathering.gathered(tx) as afters:
            afters.append(await self._dispatch.handle(tx, records))
        return together(afters)

    def lost(self, partitions: Iterable[Partition]) -> None:
        """See BatchHandler."""
        self._dispatch.lost(partitions)


def _only(source: str, handler: EventHandler) -> EventHandler:
    async def checked(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        return await handler(tx, envelope, record) if envelope.source == source else None

    return checked


def _data(envelope: Envelope, record: Record) -> Mapping[str, Any]:
    return decode(envelope.type, envelope.version, record.value or b"")


def _text(key: bytes | None) -> str:
    return (key or b"").decode("utf-8", "replace").replace("\0", "\ufffd")
