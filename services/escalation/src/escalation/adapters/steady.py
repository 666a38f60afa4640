"""Escalation's clock: the host's, as long as the database's and its own going on agree with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from chassis.clock import Clock
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.readiness import OK, Finding, degraded
from escalation.domain.steady import agreed
from escalation.metrics import CLOCK_OFFSET

# What the broker wrote last is a witness too, for the first look: it cannot lie far in the future of a right clock.
_ASK: Final = """
select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now_us,
       (select max(appended_us) from consumer_offsets) as appended_us
"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """At `counted_us` by the counter that nobody sets, it was `agreed_us` by all, and `theirs_us` by the database."""

    counted_us: int
    agreed_us: int
    theirs_us: int


class SteadyClock:
    """`watch.SteadyTime`. Between two looks at the database the process's own counter carries both of them on."""

    def __init__(self, db: Database, wall: Clock, metrics: Metrics, counter: Callable[[], int] | None = None) -> None:
        """`counter` gives µs from any beginning, and is never set."""
        self._db = db
        self._wall = wall
        self._counter = counter or (lambda: time.monotonic_ns() // 1_000)
        self._look: _Look | None = None
        self._offset = metrics.gauge(CLOCK_OFFSET)
        self._is_off = False

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        look = self._look
        if look is None:
            return self._wall.now_us()
        elapsed_us = self._counter() - look.counted_us
        return agreed(self._wall.now_us(), look.agreed_us + elapsed_us, look.theirs_us + elapsed_us)

    async def check(self) -> None:
        """See watch.SteadyTime. Raises Unavailable."""
        before_us = self._counter()
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_ASK)
        assert row is not None
        counted_us = (before_us + self._counter()) // 2
        wall_us = self._wall.now_us() - (self._counter() - counted_us)
        carried_us = self._carried(counted_us, row["appended_us"] or wall_us)
        self._look = _Look(counted_us, agreed(wall_us, carried_us, row["now_us"]), row["now_us"])
        self._tell(wall_us - self._look.agreed_us)

    def finding(self) -> Finding:
        """For `/readyz`: whether the host's clock is trusted."""
        if not self._is_off:
            return OK
        return degraded("the host's clock differs from the database's and from its own going on: set it right")

    def _carried(self, counted_us: int, at_first_us: int) -> int:
        return at_first_us if self._look is None else self._look.agreed_us + counted_us - self._look.counted_us

    def _tell(self, offset_us: int) -> None:
        self._offset.set(offset_us / 1e6)
        if bool(offset_us) != self._is_off:
            self._is_off = bool(offset_us)
            _log.warning("clock_was_set", offset_us=offset_us, trusted=not offset_us)
