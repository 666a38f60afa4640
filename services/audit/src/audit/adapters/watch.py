"""Looks after the projection: its residual, its version, and the months that it will need."""

import asyncio
import time
from typing import Final

import structlog

from audit.adapters.records import Months
from audit.domain.summary import PROJECTION
from audit.metrics import RESIDUAL
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.metrics import Metrics
from chassis.readiness import OK, Finding, degraded

_PAUSE_S: Final = 5.0
_VERSION_EVERY_S: Final = 600.0
_log = structlog.get_logger(__name__)


class Watch:
    """One task. Without the database it waits."""

    def __init__(self, db: Database, schema: str, metrics: Metrics, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._gauge = metrics.gauge(RESIDUAL)
        self._months = Months(schema)
        # There is an index of just those rows whose residual is not 0, so the greatest is found at once.
        self._residual = f"select max(abs(residual_us)) from {schema}.requests where residual_us <> 0"
        self._stale = f"select exists (select from {schema}.requests where projection <> $1)"
        self._version_due = 0.0
        self._finding = OK

    async def run(self) -> None:
        """Looks every few seconds."""
        while True:
            try:
                await self._look()
            except Unavailable as error:
                _log.debug("watch_waits", reason=error.detail)
            await asyncio.sleep(_PAUSE_S)

    def check(self) -> Finding:
        """For `/readyz`: whether all summaries are of this version and keep the law of time."""
        return self._finding

    async def _look(self) -> None:
        if missing := self._months.missing([self._clock.now_us()]):
            await self._db.run(lambda tx: self._months.make(tx, missing))
        async with self._db.connection() as connection:
            residual_us = await connection.fetchval(self._residual) or 0
            if time.monotonic() >= self._version_due:
                self._version_due = time.monotonic() + _VERSION_EVERY_S
                stale = await connection.fetchval(self._stale, PROJECTION)
                self._finding = _OLD if stale else OK
        self._gauge.set(residual_us)
        if residual_us:
            self._finding = degraded(
                "segments and elapsed time differ: this is a fault of the fold", residual_us=residual_us
            )


_OLD: Final = degraded("some summaries are of another version, reports fold them anew: run `python -m audit rebuild`")
