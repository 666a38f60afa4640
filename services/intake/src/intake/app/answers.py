"""What a live command is answered, and its stored spelling."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from events.times import to_text, to_us


@dataclass(frozen=True, slots=True)
class Answer:
    """A command that was carried out: now, or earlier under the same key (`duplicate`). Times in µs since 1970."""

    request_id: str
    event_id: str
    received_us: int
    continued: bool = False
    duplicate: bool = False

    def stored(self) -> bytes:
        """What is kept under the key: all but whether it is a duplicate."""
        return self._spelled()[:-1] + b"}"

    def body(self) -> bytes:
        """The answer's JSON."""
        return self._spelled() + (b'"duplicate":true}' if self.duplicate else b'"duplicate":false}')

    def _spelled(self) -> bytes:
        """Ids and times need no escapes: formatting costs a third of an encoder here."""
        text = f'{{"request_id":"{self.request_id}","event_id":"{self.event_id}",'
        text += f'"received_at":"{to_text(self.received_us)}",'
        return (text + '"continued":true,').encode() if self.continued else text.encode()


def again(stored: bytes) -> Answer:
    """The first answer, for a repeat."""
    kept = orjson.loads(stored)
    received_us = to_us(kept["received_at"])
    return Answer(kept["request_id"], kept["event_id"], received_us, kept.get("continued", False), duplicate=True)
