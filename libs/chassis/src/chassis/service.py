"""A service's life: start its parts, run its background tasks, stop them in reverse, crash visibly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog

from chassis.errors import Misconfigured
from chassis.readiness import OK, Finding, down

Step = Callable[[], Awaitable[Any]]

_PATIENCE_S: Final = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Around:
    start: Step | None
    stop: Step | None


@dataclass(frozen=True, slots=True)
class _Background:
    name: str
    run: Step
    stop: Callable[[], object] | None
    ends: bool


class Service:
    """What lives as long as the process: steps that open and close, and tasks that run in between.

    A background task that ends by an exception, or at all before the stop (unless it was said that it ends), is a
    crash: it is logged, `/readyz` says so, `crashed` is set, the server stops gracefully and the process exits with
    `exit_code` 1, so that a supervisor starts it anew.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.exit_code = 0
        self.stopping = asyncio.Event()
        """Set as soon as the stop begins: streams that would hold it up end here."""
        self.crashed = asyncio.Event()
        self._around: list[_Around] = []
        self._background: list[_Background] = []
        self._finding: Finding = OK

    def around(self, *, start: Step | None = None, stop: Step | None = None) -> None:
        """Await `start` before the background tasks and `stop` after them; stops go in reverse order."""
        self._around.append(_Around(start, stop))

    def background(self, name: str, run: Step, *, stop: Callable[[], object] | None = None, ends: bool = False) -> None:
        """Run `run()` from start to stop. At the stop `stop()` asks it to end; after 5 s it is cancelled.

        A task without `stop` is cancelled at once; `ends` says that it may finish before.
        """
        self._background.append(_Background(name, run, stop, ends))

    def check(self) -> Finding:
        """For `/readyz`: which background task has crashed."""
        return self._finding

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """For `FastAPI(lifespan=…)`."""
        async with AsyncExitStack() as stack:
            for step in self._around:
                if step.start is not None:
                    await step.start()
                if step.stop is not None:
                    stack.push_async_callback(step.stop)
            stack.push_async_callback(self._end, [(task, self._begin(task)) for task in self._background])
            _log.info("service_started", tasks=[task.name for task in self._background])
            yield
            self.stopping.set()
        _log.info("service_stopped", exit_code=self.exit_code)

    def _begin(self, task: _Background) -> asyncio.Task[None]:
        return asyncio.create_task(self._watch(task), name=task.name)

    async def _watch(self, task: _Background) -> None:
        try:
            await task.run()
        except Misconfigured as error:
            _log.error("misconfigured", task=task.name, reason=str(error))
            self._crash(task, str(error))
        # Whatever it is: a task that is dead must be seen, and the process replaced.
        except Exception as error:  # noqa: BLE001
            _log.exception("background_task_crashed", task=task.name)
            self._crash(task, f"{type(error).__name__}: {error}")
        else:
            if not task.ends and not self.stopping.is_set():
                _log.error("background_task_ended", task=task.name)
                self._crash(task, "it ended before the stop")

    def _crash(self, task: _Background, reason: str) -> None:
        self.exit_code = 1
        self._finding = down(f"{task.name} has crashed and the process is stopping: {reason}")
        self.crashed.set()

    async def _end(self, running: list[tuple[_Background, asyncio.Task[None]]]) -> None:
        self.stopping.set()
        for task, work in running:
            if task.stop is None or work.done():
                work.cancel()
            else:
                task.stop()
        _, late = await asyncio.wait([work for _, work in running], timeout=_PATIENCE_S) if running else ((), ())
        for work in late:
            _log.warning("background_task_cancelled", task=work.get_name())
            work.cancel()
        await asyncio.gather(*(work for _, work in running), return_exceptions=True)
