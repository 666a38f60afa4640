"""The one place where the wall clock is read."""

import time
from typing import Protocol


class Clock(Protocol):
    """Whoever tells the time of day."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The host's clock."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, as the host believes."""
        return time.time_ns() // 1_000
