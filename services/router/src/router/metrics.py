"""The typed catalogue of router's own metrics."""

from __future__ import annotations

from typing import Final

from chassis.metrics import Kind, Metric, Metrics
from router.app.passes import Passed
from router.domain.timers import Due

OFFERS_TOTAL: Final = Metric(
    "throughline_router_offers_total", Kind.COUNTER, "offers", "Requests that passes of this process brought to agents"
)
PASS_DURATION: Final = Metric(
    "throughline_router_pass_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "From the start of a pass over a queue to its commit, passes that offered something alone",
    (),
    (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
TIMER_LATENESS: Final = Metric(
    "throughline_router_timer_lateness_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "By how much a lapsed offer or a left contact was closed after its time, by this process",
    ("timer",),
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)

CATALOGUE: Final = (OFFERS_TOTAL, PASS_DURATION, TIMER_LATENESS)


class Figures:
    """Keeps router's own metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._offers = metrics.counter(OFFERS_TOTAL)
        self._durations = metrics.histogram(PASS_DURATION)
        self._lateness = metrics.histogram(TIMER_LATENESS)

    def passed(self, passed: Passed, seconds: float) -> None:
        """A pass came to its end."""
        if passed.offers:
            self._offers.inc(passed.offers)
            self._durations.observe(seconds)

    def late(self, due: Due, late_us: int) -> None:
        """Something was closed so long after it was due."""
        self._lateness.labels(str(due.kind)).observe(late_us / 1e6)
