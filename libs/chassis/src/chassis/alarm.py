"""Work that falls due: done at its moment, looked for at intervals, and at once when somebody says so."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from chassis.backoff import Backoff
from chassis.errors import Transient

_FIRST_REST_S: Final = 0.1
_LONGEST_REST_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Alarm:
    """Calls `work` again and again; `work` does all that is due and says in how many seconds more will be.

    None says that nothing is, and 0 or less that something is due already. Whatever it says, it is called again after
    `net_s`: a wall clock that was set shifts all that is due. A wake-up during the work makes it run once more.
    """

    def __init__(self, work: Callable[[], Awaitable[float | None]], *, net_s: float, name: str = "alarm") -> None:
        """`name` is for the logs."""
        self._work = work
        self._net_s = net_s
        self._name = name
        self._woken = asyncio.Event()
        self._stopped = False
        self._backoff = Backoff(first_s=_FIRST_REST_S, most_s=_LONGEST_REST_S)

    async def run(self) -> None:
        """Until `stop()`. `Transient` failures are waited out; any other error is the program's and ends it."""
        while not self._stopped:
            self._woken.clear()
            await self._rest(await self._once())

    def wake(self) -> None:
        """There may be something due: look now."""
        self._woken.set()

    def stop(self) -> None:
        """Ask `run` to end, after the work at hand."""
        self._stopped = True
        self._woken.set()

    async def _once(self) -> float:
        """Does the work; for how long to rest, in seconds."""
        try:
            due_s = await self._work()
        except Transient as error:
            _log.warning("alarm_put_off", alarm=self._name, reason=str(error))
            # Whoever wakes it now would only find the same trouble: the back-off is slept out.
            return await self._put_off()
        self._backoff.reset()
        return self._net_s if due_s is None else min(due_s, self._net_s)

    async def _put_off(self) -> float:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next_s()):
                while not self._stopped:
                    await self._woken.wait()
                    self._woken.clear()
        return 0.0

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0 or self._stopped:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
