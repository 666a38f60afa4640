"""What waits where, and who could take something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """One queue at one tier on one channel."""

    queue: str
    tier: int
    channel: str


@dataclass(frozen=True, slots=True)
class Waits:
    """How many wait at a place, for how long the first who was received (µs, None without one), and who has room."""

    place: Place
    waiting: int
    oldest_wait_us: int | None
    agents_free: int

    def figures(self) -> dict[str, int | None]:
        """The numbers by name."""
        return {"waiting": self.waiting, "oldest_wait_us": self.oldest_wait_us, "agents_free": self.agents_free}


class Queues(Protocol):
    """All queues, by place."""

    async def page(self, after: Place | None, most: int) -> Sequence[Waits]:
        """At most so many, in the order of their places, after that one."""
        ...
