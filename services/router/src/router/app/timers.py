"""The timers: what has fallen due is closed, by whichever replica is first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from chassis.clock import Clock
from router.domain.deadlines import Deadlines
from router.domain.timers import Due

AT_ONCE: Final = 200
"""How much is closed in one transaction."""

_LOOK_AGAIN_S: Final = 0.05


class DueStore(Protocol):
    """What is pending, kept with the requests and agents themselves: there is no row per timer."""

    async def pending(self) -> Iterable[Due]:
        """All there is. Raises `Unavailable`."""
        ...

    async def close(self, due: Sequence[Due]) -> Sequence[Due]:
        """Closes these, `AT_ONCE` at most, as far as they are so still; those that it closed.

        Raises `Unavailable`, `StaleTransaction`.
        """
        ...


class Timers:
    """Work for an alarm. `steady` gives µs of a clock that nobody sets; `late` hears how late each one was, in µs."""

    def __init__(
        self, store: DueStore, clock: Clock, steady: Callable[[], int], late: Callable[[Due, int], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady = steady
        self._late = late
        self._deadlines = Deadlines()

    async def work(self) -> float | None:
        """Closes what is due; in how many seconds the next one is, None where nothing is pending."""
        now_us, steady_us = self._clock.now_us(), self._steady()
        pending = {due.pending.key: due for due in await self._store.pending()}
        keys, next_us = self._deadlines.look(
            [due.pending for due in pending.values()], now_us=now_us, steady_us=steady_us
        )
        for at in range(0, len(keys), AT_ONCE):
            for due in await self._store.close([pending[key] for key in keys[at : at + AT_ONCE]]):
                self._late(due, max(0, now_us - due.due_us))
        if keys:
            return _LOOK_AGAIN_S
        return None if next_us is None else next_us / 1e6
