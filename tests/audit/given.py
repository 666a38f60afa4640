"""Records of a log as tests tell them: a few words each, the rest filled in."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Mapping
from typing import Any

from chassis.records import Record
from events.codec import encode_data, headers_of
from events.envelope import Envelope

MINUTE = 60_000_000
START = 1_700_000_000_000_000
"""Some moment in 2023, in µs."""


def event_id(number: int) -> str:
    """The same id for the same number."""
    return str(uuid.UUID(int=number))


class Writer:
    """Writes records at the end of partitions, one millisecond of append time after the other."""

    def __init__(self, topic: str = "contacts", partition: int = 0, *, appended_us: int = START) -> None:
        self.topic, self.partition = topic, partition
        self.appended_us = appended_us
        self._offsets = itertools.count()
        self._numbers = itertools.count(1)

    def raw(
        self, headers: list[tuple[str, bytes | None]], value: bytes | None, key: bytes | None = b"k", **at: Any
    ) -> Record:
        """A record of just these bytes."""
        self.appended_us += 1_000
        appended_us = at.get("appended_us", self.appended_us)
        return Record(self.topic, self.partition, next(self._offsets), appended_us, key, headers, value)

    def event(
        self,
        type_: str,
        data: Mapping[str, Any] | None = None,
        *,
        subject: str = "r-1",
        minute: float = 0,
        id_: str | None = None,
        value: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        **envelope: Any,
    ) -> Record:
        """One event, so many minutes after the start."""
        at = {"appended_us": envelope.pop("appended_us")} if "appended_us" in envelope else {}
        number = next(self._numbers)
        said = {"source": "/services/router", "sequence": None, "version": 1} | envelope
        stated = Envelope(
            event_id=id_ or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.topic}/{self.partition}/{subject}/{number}")),
            type=type_,
            subject=subject,
            occurred_us=START + round(minute * MINUTE),
            partition_key=subject,
            **said,
        )
        lines = headers_of(stated) + (headers or [])
        payload = _payload(type_, data or {}) if value is None else value
        return self.raw(list(lines), payload, subject.encode(), **at)


def _payload(type_: str, data: Mapping[str, Any]) -> bytes:
    try:
        return encode_data(type_, data, event_id="")
    except (KeyError, ValueError):
        return json.dumps(data).encode()


CONTACT: dict[str, Any] = {"channel": "voice", "customer": {"id": "c-1"}}


def life(writer: Writer, subject: str = "r-1", *, start: float = 0) -> list[Record]:
    """Received, routed after a minute, connected after two more, resolved after four more."""
    agent = {"agent_id": "a-1"}
    return [
        writer.event("ContactReceived", CONTACT, subject=subject, minute=start),
        writer.event("Routed", agent, subject=subject, minute=start + 1),
        writer.event("Connected", agent, subject=subject, minute=start + 3),
        writer.event("Resolved", agent, subject=subject, minute=start + 7),
    ]
