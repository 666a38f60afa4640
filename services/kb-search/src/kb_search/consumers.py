"""What kb-search hears from the log: contacts and messages that were received live."""

from collections.abc import Callable, Mapping
from typing import Final

import asyncpg

from chassis.clock import Clock
from chassis.dispatch import EventHandler
from chassis.records import Record
from events.codec import decode
from events.envelope import Envelope
from kb_search.app.looking_up import GRACE_US, STALE_US
from kb_search.app.ports import Requests, Spoken, Times
from kb_search.domain.suggestions import matter_of

CONSUMER: Final = "kb-search"
TOPICS: Final = ("contacts",)

_LIVE: Final = "/services/intake"


def handlers(requests: Requests, clock: Clock, heard: Callable[[str], None]) -> Mapping[str, EventHandler]:
    """By event type. `heard` is told of each request after the commit.

    Only what was said is kept here, sealed as it came: opening it and looking it up takes longer than a transaction
    may, and its key may come later.
    """

    async def said(tx: asyncpg.Connection, envelope: Envelope, record: Record) -> Callable[[], None] | None:
        if envelope.source != _LIVE:
            return None
        payload = record.value or b""
        matter = matter_of(decode(envelope.type, envelope.version, payload))
        now_us = clock.now_us()
        is_stale = now_us - envelope.occurred_us > STALE_US
        times = Times(envelope.occurred_us, now_us, None if is_stale else now_us + GRACE_US)
        spoken = Spoken(envelope.event_id, envelope.type, envelope.version, payload)
        await requests.hear(tx, envelope.subject, spoken, matter, times=times)
        return None if is_stale else lambda: heard(envelope.subject)

    return {"ContactReceived": said, "MessageReceived": said}
