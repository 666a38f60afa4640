"""What the router takes from the log: event type → handler, and the order of locks over a whole batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg

from chassis.caution import AfterCommit, Partition
from chassis.dispatch import Dispatch, EventHandler
from chassis.records import Record
from chassis.store import lock_streams
from events.codec import decode
from events.envelope import Envelope
from router.app.following import Following, RequestBook
from router.domain.follow import ESCALATION, INTAKE, FollowUp
from router.domain.request import SOURCE

MOST: Final = 200
"""Records in one transaction: it holds their requests, and holds back every relay of the cluster."""

Books = Callable[[asyncpg.Connection], RequestBook]
HoldAgents = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[None]]

_ESCALATED: Final = b"throughline.Escalated.v1"


def streams_of(envelope: Envelope) -> Iterable[str]:
    """The stream that handling an event may append to."""
    return [envelope.subject]


def handlers(following: Following, books: Books) -> Mapping[str, EventHandler]:
    """What is done with each type, from its one true source; `/imports` is none."""

    async def begin(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        return await following.begin(books(tx), envelope, _data(envelope, record))

    async def follow_up(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        message = FollowUp(envelope.event_id, envelope.occurred_us, record.timestamp_us)
        return await following.follow_up(books(tx), message, envelope.subject)

    async def escalate(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> AfterCommit | None:
        return await following.escalate(books(tx), envelope, _data(envelope, record))

    async def see_closed(tx: asyncpg.Connection, envelope: Envelope, _: Record) -> AfterCommit | None:
        await following.see_closed(books(tx), envelope)
        return None

    return {
        "ContactReceived": _only(INTAKE, begin),
        "MessageReceived": _only(INTAKE, follow_up),
        "Escalated": _only(ESCALATION, escalate),
        "Resolved": _only(SOURCE, see_closed),
        "Abandoned": _only(SOURCE, see_closed),
    }


class InOrder:
    """A BatchHandler that takes the locks of a whole batch in their order before it hands the batch on.

    One record after the other frees units, each under its agent's lock: in any other order than the agents' ids two
    transactions could wait for one another in a circle.
    """

    def __init__(self, dispatch: Dispatch, hold_agents: HoldAgents) -> None:
        self._dispatch = dispatch
        self._hold_agents = hold_agents

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """See BatchHandler."""
        escalated = [_text(record.key) for record in records if (b"ce_type", _ESCALATED) in record.headers]
        if len(escalated) > 1:
            await lock_streams(tx, {_text(record.key) for record in records})
            await self._hold_agents(tx, escalated)
        return await self._dispatch.handle(tx, records)

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
