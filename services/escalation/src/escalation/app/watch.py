"""The watch over what comes due: of the partitions that this process reads, and never before the log is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from escalation.app.ports import Store, Unit
from escalation.domain.fold import elapsed
from escalation.domain.seen import Seen
from escalation.domain.timers import Timers

Position = tuple[int, int | None, int]
"""A partition, the end of its log (None where Kafka does not say), and the next offset to be taken in."""

AT_ONCE: Final = 200
_MOST_DUE: Final = 2_000
_LOOK_AGAIN_S: Final = 0.2
_SECOND_US: Final = 1_000_000


class SteadyTime(Protocol):
    """A clock that does not follow another that was set."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        ...

    async def check(self) -> None:
        """Compare with the other witnesses now."""
        ...


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is watched: requests with a moment to come, and those whose moment has passed without a verdict yet."""

    watched: int
    overdue: int
    oldest_us: int
    """How long the oldest of them has waited, in µs."""


class Watch:
    """Fires what comes due. What it holds in memory is only a hint of when to look: under the request's lock the kept
    fold decides, so that each verdict is stated once, whoever looks and however often."""

    def __init__(
        self,
        store: Store,
        clock: SteadyTime,
        *,
        held: Callable[[], Collection[int]],
        positions: Callable[[], Awaitable[Iterable[Position]]],
        settle_us: int,
    ) -> None:
        """`held` are the partitions of `contacts` that this process reads. `settle_us`: so long an event may be on its
        way from its commit into the log without a verdict being stated that it overturns."""
        self._store = store
        self._clock = clock
        self._held = held
        self._positions = positions
        self._settle_us = settle_us
        self._seen = Seen()
        self._timers: dict[int, Timers] = {}

    def put(self, partition: int, request_id: str, at_us: int | None) -> None:
        """A request's next moment has changed: after the commit that changed it."""
        timers = self._timers.get(partition)
        if timers is not None:
            timers.put(request_id, at_us)

    def lost(self, partitions: Iterable[int]) -> None:
        """Others may move these on from now on: what is known of them is read anew when they are held again."""
        for partition in partitions:
            self._timers.pop(partition, None)

    def figures(self) -> Figures:
        """For metrics and readiness."""
        now_us = self._clock.now_us()
        late = [each for timers in self._timers.values() for each in timers.due(now_us - self._settle_us, _MOST_DUE)]
        oldest_us = max((now_us - at_us for _, at_us in late), default=0)
        return Figures(sum(map(len, self._timers.values())), len(late), oldest_us)

    async def work(self) -> float | None:
        """All that is due and may be stated; the seconds until more is, None where only time will tell.

        Raises Unavailable.
        """
        await self._take_up()
        due = self._due()
        if due:
            await self._clock.check()
            if not await self._look():
                return None
            ready = [
                (partition, request_id) for partition, request_id, at_us in due if self._is_known(partition, at_us)
            ]
            for start in range(0, len(ready), AT_ONCE):
                await self._fire(ready[start : start + AT_ONCE])
            if len(ready) < len(due):
                return _LOOK_AGAIN_S
        return self._rest_s()

    async def _take_up(self) -> None:
        """Reads the moments of partitions that are held since lately."""
        held = set(self._held())
        self.lost(self._timers.keys() - held)
        for partition in sorted(held - self._timers.keys()):
            timers = self._timers[partition] = Timers()
            try:
                timers.load(await self._store.moments(partition))
            # Also where the watch is cancelled: a partition with half its moments would count as taken up.
            except BaseException:
                self._timers.pop(partition, None)
                raise

    def _due(self) -> list[tuple[int, str, int]]:
        before_us = self._clock.now_us() - self._settle_us
        # So many of each partition: one whose log is behind must not stand before the others.
        return [
            (partition, request_id, at_us)
            for partition, timers in self._timers.items()
            for request_id, at_us in timers.due(before_us, _MOST_DUE)
        ]

    async def _look(self) -> bool:
        """Whether Kafka says where its log ends."""
        now_us = self._clock.now_us()
        positions = list(await self._positions())
        self._seen.look(now_us, positions)
        return any(end is not None for _, end, _ in positions)

    def _is_known(self, partition: int, at_us: int) -> bool:
        return self._known_us(partition) > at_us

    def _known_us(self, partition: int) -> int:
        """Before which moment nothing can be missing from what was taken in."""
        return min(self._seen.until_us(partition), self._clock.now_us()) - self._settle_us

    async def _fire(self, requests: list[tuple[int, str]]) -> None:
        async def work(unit: Unit) -> None:
            for partition, request_id in requests:
                request = await unit.request(request_id)
                if request is not None:
                    unit.keep(elapsed(request, self._known_us(partition)))

        await self._store.change([request_id for _, request_id in requests], work)

    def _rest_s(self) -> float | None:
        moments = [at_us for timers in self._timers.values() if (at_us := timers.next_us()) is not None]
        if not moments:
            return None
        return max(0.0, (min(moments) + self._settle_us + 1 - self._clock.now_us()) / _SECOND_US)
