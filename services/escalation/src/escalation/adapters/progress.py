"""How far the consumer is, as the watch needs it; and the watch's own state, for metrics and readiness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chassis.consumer import Consumer
from chassis.metrics import Metrics
from chassis.readiness import OK, Finding, degraded
from escalation.app.watch import Position, Watch
from escalation.metrics import OVERDUE, WATCHED

_LATE_US: Final = 30_000_000


class Progress:
    """The consumer's partitions and positions."""

    def __init__(self, consumer: Consumer, metrics: Metrics) -> None:
        self._consumer = consumer
        self._metrics = metrics
        self._watch: Watch | None = None

    def show(self, watch: Watch) -> None:
        """Shows this watch's state from now on."""
        self._watch = watch
        watched, overdue = self._metrics.gauge(WATCHED), self._metrics.gauge(OVERDUE)

        def refresh() -> None:
            figures = watch.figures()
            watched.set(figures.watched)
            overdue.set(figures.overdue)

        self._metrics.refresh_with(refresh)

    def held(self) -> set[int]:
        """The partitions of `contacts` that this process reads."""
        return {number for _, number in self._consumer.held}

    async def positions(self) -> Iterable[Position]:
        """Where every partition stands, whoever reads it. Raises Unavailable."""
        return [(each.partition, each.end, each.next_offset) for each in await self._consumer.positions()]

    def check(self) -> Finding:
        """For `/readyz`: whether verdicts are stated."""
        figures = self._watch.figures() if self._watch else None
        if figures is None or figures.oldest_us < _LATE_US:
            return OK
        return degraded(
            "verdicts wait until the log is known up to their moments: see the checks kafka and log",
            overdue=figures.overdue,
            oldest_s=figures.oldest_us / 1e6,
        )
