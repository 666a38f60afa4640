"""A service's life: start its parts, run its background tasks, stop them in reverse, crash visibly."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Step = Callable[[], Awaitable[Any]]


class Service:
    """What lives as long as the process: steps that open and close, and tasks that run in between.

    A background task that ends by an exception, or at all before the stop, is a crash: it is logged, `/readyz` says so,
    the server stops gracefully and the process exits with `exit_code` 1, so that a supervisor starts it anew.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def around(self, *, start: Step | None = None, stop: Step | None = None) -> None:
        """Await `start` before the background tasks and `stop` after them; stops go in reverse order."""
        raise NotImplementedError

    def background(self, name: str, run: Step, *, stop: Callable[[], object] | None = None) -> None:
        """Run `run()` from start to stop. At the stop `stop()` asks it to end; after 5 s it is cancelled."""
        raise NotImplementedError

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """For `FastAPI(lifespan=…)`."""
        raise NotImplementedError
        yield
