"""Audit's own metrics."""

from typing import Final

from chassis.metrics import Kind, Metric

RESIDUAL: Final = Metric(
    "throughline_residual_us",
    Kind.GAUGE,
    "us",
    "Greatest amount over all requests by which segments and elapsed time differ; anything but 0 is a fault",
)
UNREADABLE_TOTAL: Final = Metric(
    "throughline_audit_unreadable_total", Kind.COUNTER, "records", "Records taken in that could not be read"
)
DUPLICATES_TOTAL: Final = Metric(
    "throughline_audit_duplicates_total",
    Kind.COUNTER,
    "records",
    "Records taken in whose event stood in the log before",
)

CATALOGUE: Final = (RESIDUAL, UNREADABLE_TOTAL, DUPLICATES_TOTAL)
