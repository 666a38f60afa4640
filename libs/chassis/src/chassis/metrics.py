"""The typed catalogue of the chassis's metrics, and the registry that a service fills and shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Kind(StrEnum):
    """Prometheus's types that are in use here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its full name, type, unit (`1` for plain counts), meaning, and label names.

    No label's value may come from user input. `buckets` are upper bounds in the metric's unit (histograms alone).
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


OUTBOX_ROWS: Final = Metric(
    "throughline_outbox_rows", Kind.GAUGE, "rows", "Committed events that Kafka has not acknowledged yet"
)
OUTBOX_AGE: Final = Metric(
    "throughline_outbox_age_seconds", Kind.GAUGE, "seconds", "Age of the oldest committed event not yet in Kafka"
)
RELAY_XMIN_AGE: Final = Metric(
    "throughline_relay_bound_age_seconds",
    Kind.GAUGE,
    "seconds",
    "Time since the cluster's oldest running transaction changed: it bounds what the relay may read",
)
EVENTS_TOTAL: Final = Metric(
    "throughline_events_total", Kind.COUNTER, "events", "Events committed by this process", ("type",)
)
CONSUMER_LAG: Final = Metric(
    "throughline_consumer_lag_records",
    Kind.GAUGE,
    "records",
    "Records in the log behind the consumer's committed offset",
    ("consumer", "topic", "partition"),
)
PARKED: Final = Metric(
    "throughline_parked_records", Kind.GAUGE, "records", "Records set aside and waiting for a replay", ("consumer",)
)
CONSUMED_TOTAL: Final = Metric(
    "throughline_consumed_records_total", Kind.COUNTER, "records", "Records whose effects committed", ("consumer",)
)
FENCED_TOTAL: Final = Metric(
    "throughline_consumer_fenced_total",
    Kind.COUNTER,
    "batches",
    "Batches given up because the partition had another owner by then",
    ("consumer",),
)
HTTP_REQUESTS: Final = Metric(
    "throughline_http_requests_total", Kind.COUNTER, "requests", "Answered requests", ("method", "route", "status")
)
HTTP_DURATION: Final = Metric(
    "throughline_http_request_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "From a request's headers read to its last byte handed to the socket",
    ("method", "route"),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)

CATALOGUE: Final = (
    OUTBOX_ROWS,
    OUTBOX_AGE,
    RELAY_XMIN_AGE,
    EVENTS_TOTAL,
    CONSUMER_LAG,
    PARKED,
    CONSUMED_TOTAL,
    FENCED_TOTAL,
    HTTP_REQUESTS,
    HTTP_DURATION,
)


class Metrics:
    """One process's metrics. A service hands its own catalogue in beside the chassis's; names are unique."""

    def __init__(self, *catalogues: Iterable[Metric]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it untyped
        self.registry = CollectorRegistry(auto_describe=True)
        self._collectors: dict[str, Counter | Gauge | Histogram] = {}
        self._refreshers: list[Callable[[], None]] = []
        for metric in (*CATALOGUE, *(metric for catalogue in catalogues for metric in catalogue)):
            self._collectors[metric.name] = _collector(metric, self.registry)

    def counter(self, metric: Metric) -> Counter:
        """The collector of a metric in the catalogue; KeyError for one that is not."""
        return _typed(self._collectors[metric.name], Counter)

    def gauge(self, metric: Metric) -> Gauge:
        """As `counter`."""
        return _typed(self._collectors[metric.name], Gauge)

    def histogram(self, metric: Metric) -> Histogram:
        """As `counter`."""
        return _typed(self._collectors[metric.name], Histogram)

    def refresh_with(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` before each reading: for gauges that are cheaper to look up than to keep."""
        self._refreshers.append(refresh)

    def text(self) -> bytes:
        """What `/metrics` answers, in Prometheus's text format (`CONTENT_TYPE`)."""
        for refresh in self._refreshers:
            refresh()
        return generate_latest(self.registry)


def _collector(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    meaning = f"{metric.meaning} [{metric.unit}]"
    if metric.kind is Kind.COUNTER:
        return Counter(metric.name, meaning, metric.labels, registry=registry)
    if metric.kind is Kind.GAUGE:
        return Gauge(metric.name, meaning, metric.labels, registry=registry)
    return Histogram(metric.name, meaning, metric.labels, registry=registry, buckets=metric.buckets)


C = TypeVar("C", Counter, Gauge, Histogram)


def _typed(collector: Counter | Gauge | Histogram, kind: type[C]) -> C:
    if not isinstance(collector, kind):
        raise TypeError(f"is a {type(collector).__name__}, not a {kind.__name__}")
    return collector
