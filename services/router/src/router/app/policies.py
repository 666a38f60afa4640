"""Queue policies: looked at, and changed to a next version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chassis.commands import Use
from router.domain.policies import Policy


class PolicyStore(Protocol):
    """The policies of all queues, by version."""

    async def look(self, queue: str) -> Policy:
        """The one that holds now: the defaults for a queue that nobody wrote one for."""
        ...

    async def change(
        self, queue: str, changes: Mapping[str, Any], use: Use | None, answer: Callable[[Policy], bytes]
    ) -> bytes:
        """Makes the next version of it; gives `answer` of that, and to a repeat of `use` the first answer.

        Raises `InFlight`, `KeyReused`, and `Unavailable` where nothing was done or the outcome is unknown.
        """
        ...
