"""Waiting longer after each failure, with jitter, so that replicas do not come back all at once."""

import asyncio
import random


class Backoff:
    """The next wait is drawn between half of and the whole of a span that doubles up to `most_s` (seconds)."""

    def __init__(self, *, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._span_s = first_s

    def next_s(self) -> float:
        """Draws the wait, in seconds, and doubles the span."""
        span, self._span_s = self._span_s, min(self._most_s, self._span_s * 2)
        return span * random.uniform(0.5, 1.0)

    async def sleep(self) -> None:
        """Waits for `next_s`."""
        await asyncio.sleep(self.next_s())

    def reset(self) -> None:
        """After a success the next failure begins anew."""
        self._span_s = self._first_s
