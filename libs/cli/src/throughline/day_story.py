"""One contact's life told as import lines, each naming the line that caused it."""

from __future__ import annotations

import uuid
from typing import Any

from events.times import to_text

Line = dict[str, Any]

LINE_NAMES = uuid.UUID("5b1f6a0e-6d0f-5c1c-9a53-2f6f3f0f8a11")


class Story:
    """The lines of one request in the order of their telling. Its time, µs since the epoch, never runs back."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.lines: list[Line] = []
        self.now_us = 0

    def tell(self, kind: str, after_us: int, data: dict[str, Any], *, clock_behind_us: int = 0) -> None:
        """Adds a line that much later than the last one and caused by it.

        A `clock_behind_us` makes the teller's clock state an earlier time, as real telephone systems do; the fold then
        raises it to the time of its cause.
        """
        before = self.lines[-1]["event_id"] if self.lines else None
        self.now_us += after_us
        line = {
            "type": kind,
            "request_id": self.request_id,
            "occurred_at": to_text(self.now_us - clock_behind_us),
            "data": data,
            "event_id": str(uuid.uuid5(LINE_NAMES, f"{self.request_id}/{len(self.lines)}/{kind}")),
            "causation_id": before,
        }
        self.lines.append(line)
