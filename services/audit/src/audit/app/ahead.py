"""What has been made is written while the next is made: one piece in flight, in order."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class OneAhead:
    """A context in which pieces of work are started one after another; its end waits for the last.

    What a piece raises is raised by the next `start`, or at the end.
    """

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the piece before, then lets this one run while the caller goes on."""
        before, self._running = self._running, None
        if before is not None:
            try:
                await before
            # Also where the caller is cancelled while he waits: a coroutine that is never started must be closed.
            except BaseException:
                work.close()
                raise
        self._running = asyncio.create_task(work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._running is None:
            return
        if isinstance(error, asyncio.CancelledError):
            # Whoever gives up waits for nobody: the piece may hang, as at a database that does not answer.
            self._running.cancel()
        await self._running
