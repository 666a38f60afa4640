"""What customers and agents of the demo know of one another: that the line is open, and that it was put down."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from throughline.demo.plan import Visit

KNOWN_WITHIN_S = 20.0


@dataclass(slots=True)
class Case:
    """A request of the run and whose visit it is."""

    request_id: str
    visit: Visit
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    cycles: int = 1

    def reopens(self) -> None:
        """The customer comes back: it has to be closed once more. To be said before he does."""
        self.cycles += 1
        self.closed.clear()


class Cases:
    """The run's requests by id. An offer may reach the agent before intake's answer has reached the gateway."""

    def __init__(self) -> None:
        self.by_id: dict[str, Case] = {}
        self.happened: Counter[str] = Counter()
        self._more = asyncio.Event()

    def open(self, request_id: str, visit: Visit) -> Case:
        """Intake has taken it."""
        case = self.by_id[request_id] = Case(request_id, visit)
        self._more.set()
        self._more = asyncio.Event()
        return case

    async def of(self, request_id: str) -> Case | None:
        """The case, as soon as the gateway knows it; None where nobody does for a while: it is not of this run."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN_S):
                while request_id not in self.by_id:
                    await self._more.wait()
        except TimeoutError:
            return None
        return self.by_id[request_id]

    def still_open(self) -> list[str]:
        """The requests that are not closed, in the order of their receipt."""
        return [case.request_id for case in self.by_id.values() if not case.closed.is_set()]
