"""Escalation's own metrics."""

from typing import Final

from chassis.metrics import Kind, Metric

WATCHED: Final = Metric(
    "throughline_escalation_watched_requests",
    Kind.GAUGE,
    "requests",
    "Requests of this process's partitions with a warning or a due moment to come",
)
OVERDUE: Final = Metric(
    "throughline_escalation_overdue_requests",
    Kind.GAUGE,
    "requests",
    "Of these, the ones whose moment has passed without a verdict: the log is not known up to there yet",
)
DETECTION: Final = Metric(
    "throughline_escalation_detection_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "From the moment at which a promise was broken until that was stated",
    buckets=(0.3, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
)
CLOCK_OFFSET: Final = Metric(
    "throughline_escalation_clock_offset_seconds",
    Kind.GAUGE,
    "seconds",
    "By how much the host's clock differs from what most witnesses say; 0 where it is trusted",
)

CATALOGUE: Final = (WATCHED, OVERDUE, DETECTION, CLOCK_OFFSET)
