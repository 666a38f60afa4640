"""The passes over the queues: woken where something can be matched, one at a time for each queue, a few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

import structlog

from chassis.errors import Unavailable

_AT_ONCE: Final = 3
_NET_S: Final = 1.0
_AFTER_TROUBLE_S: Final = 0.5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of a pass: how many offers were made, and in how many seconds to look again (None: when woken).

    `elsewhere` says that another replica holds the queue: what wakes it until then is that one's business.
    """

    offers: int = 0
    again_s: float | None = None
    elsewhere: bool = False


def _unheard(_passed: Passed, _seconds: float) -> None:
    """Nobody wants to know."""


class PassStore(Protocol):
    """Makes passes over queues."""

    async def go_over(self, queue: str) -> Passed:
        """One pass, if this replica holds the queue or can have it. Raises `Unavailable`."""
        ...

    async def stirring(self) -> Iterable[str]:
        """All queues in which somebody waits. Raises `Unavailable`."""
        ...

    async def give_back(self) -> None:
        """Lets other replicas take over at once."""
        ...


class Passes:
    """Runs passes until it is stopped. All queues in which somebody waits are looked at once a second in any case."""

    def __init__(
        self,
        store: PassStore,
        passed: Callable[[Passed, float], None] = _unheard,
        *,
        at_once: int = _AT_ONCE,
        net_s: float = _NET_S,
    ) -> None:
        """`passed` hears what came of each pass, and how many seconds it took."""
        self._store = store
        self._passed = passed
        self._at_once = at_once
        self._net_s = net_s
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()
        self._elsewhere: dict[str, float] = {}
        self._stirred = asyncio.Event()
        self._look_now = asyncio.Event()
        self._stopped = False

    def wake(self, queue: str) -> None:
        """There may be something to match in this queue, with `""` in any."""
        if not queue:
            self._look_now.set()
        elif self._elsewhere.get(queue, 0.0) <= monotonic():
            self._plan(queue, 0.0)

    async def run(self) -> None:
        """Until `stop()`. The database's absence is waited out."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            for _ in range(self._at_once):
                group.create_task(self._work())
        with suppress(Unavailable):
            await self._store.give_back()

    def stop(self) -> None:
        """Asks `run` to end, after the passes at hand."""
        self._stopped = True
        self._look_now.set()
        self._stirred.set()

    async def _look(self) -> None:
        while not self._stopped:
            self._look_now.clear()
            self._elsewhere = {queue: moment for queue, moment in self._elsewhere.items() if moment > monotonic()}
            try:
                for queue in await self._store.stirring():
                    self.wake(queue)
            except Unavailable as error:
                _log.info("queues_not_looked_at", reason=error.detail)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._net_s):
                    await self._look_now.wait()

    async def _work(self) -> None:
        while not self._stopped:
            # Cleared before looking: whatever comes from now on sets it again.
            self._stirred.clear()
            queue = self._next()
            if queue is None:
                await self._rest()
            else:
                await self._go_over(queue)

    async def _go_over(self, queue: str) -> None:
        self._busy.add(queue)
        began = monotonic()
        try:
            passed = await self._store.go_over(queue)
            self._passed(passed, monotonic() - began)
        except Unavailable as error:
            _log.info("pass_put_off", queue=queue, reason=error.detail)
            passed = Passed(again_s=_AFTER_TROUBLE_S)
        finally:
            self._busy.discard(queue)
        if passed.elsewhere:
            self._elsewhere[queue] = monotonic() + (passed.again_s or 0.0)
        if passed.again_s is not None:
            self._plan(queue, passed.again_s)
        self._stirred.set()

    def _plan(self, queue: str, in_s: float) -> None:
        moment = monotonic() + in_s
        self._due[queue] = min(self._due.get(queue, moment), moment)
        self._stirred.set()

    def _next(self) -> str | None:
        """The queue that has been due for longest and is not at work."""
        now = monotonic()
        due = [(moment, queue) for queue, moment in self._due.items() if moment <= now and queue not in self._busy]
        if not due:
            return None
        queue = min(due)[1]
        del self._due[queue]
        return queue

    async def _rest(self) -> None:
        """Until something stirs or is due."""
        waited_for = [moment for queue, moment in self._due.items() if queue not in self._busy]
        with suppress(TimeoutError):
            async with asyncio.timeout_at(_on_the_loop(min(waited_for, default=None))):
                await self._stirred.wait()


def _on_the_loop(moment: float | None) -> float | None:
    """A moment of `time.monotonic` on the event loop's clock, which may be another."""
    return None if moment is None else asyncio.get_running_loop().time() + max(0.0, moment - monotonic())
