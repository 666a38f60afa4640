"""One deadline for a whole command, which an interrupt brings forward to now."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL_S = 0.02


class Deadline:
    """A moment that all waits of one command share, in whatever thread they are."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left_s(self) -> float:
        return max(0.0, self._at - time.monotonic())

    def expire(self) -> None:
        """Ends every wait at its next look."""
        self._at = time.monotonic()

    def wait(self, holds: Callable[[], bool], most_s: float | None = None, every_s: float = _POLL_S) -> bool:
        """Asks again and again; True as soon as it holds, False at the deadline or after `most_s`."""
        begun = time.monotonic()
        while not holds():
            if self.left_s() == 0 or (most_s is not None and time.monotonic() - begun >= most_s):
                return False
            time.sleep(every_s)
        return True


def wait_until(holds: Callable[[], bool], patience_s: float, every_s: float = _POLL_S) -> bool:
    """Asks again and again; True as soon as it holds, False after `patience_s`."""
    return Deadline(patience_s).wait(holds, every_s=every_s)
