"""What has been made is written while the next is made: pieces of work, one at a time and in order."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

_Work = Coroutine[Any, Any, None]


class Ahead:
    """A context in which pieces of work are started one after another; its end waits for the last.

    What a piece raises is raised by a later `start`, or at the end; no piece after it is begun.
    """

    def __init__(self, most: int = 1) -> None:
        """At most so many pieces are under way or wait for their turn: beyond them `start` waits."""
        self._most = most
        self._pieces: deque[tuple[asyncio.Task[None], _Work]] = deque()

    async def start(self, work: _Work) -> None:
        """Lets this run after the pieces before, while the caller goes on."""
        while len(self._pieces) >= self._most:
            try:
                await self._pieces[0][0]
            # Also where the caller is cancelled while he waits: a coroutine that is never begun must be closed.
            except BaseException:
                work.close()
                raise
            self._pieces.popleft()
        before = self._pieces[-1][0] if self._pieces else None
        self._pieces.append((asyncio.create_task(_after(before, work)), work))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            # Whoever gives up waits for nobody: a piece may hang, as at a database that does not answer.
            for piece, _ in self._pieces:
                piece.cancel()
        outcomes = await asyncio.gather(*(piece for piece, _ in self._pieces), return_exceptions=True)
        for _, work in self._pieces:
            work.close()  # one that was never begun
        failed = next((outcome for outcome in outcomes if outcome is not None), None)
        if error is None and failed is not None:
            raise failed


async def _after(before: asyncio.Task[None] | None, work: _Work) -> None:
    if before is not None:
        await before
    await work
