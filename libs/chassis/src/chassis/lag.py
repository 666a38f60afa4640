"""How far a consumer is behind, as its metric shows it: of the partitions that it holds, and of no others."""

from collections.abc import Mapping
from typing import Final

from chassis import metrics as catalogue
from chassis.metrics import Metrics
from chassis.offsets import Held

Partition = tuple[str, int]


class Lag:
    """The gauge of one consumer."""

    def __init__(self, consumer: str, metrics: Metrics) -> None:
        self._consumer: Final = consumer
        self._gauge = metrics.gauge(catalogue.CONSUMER_LAG)
        self._shown: set[tuple[str, str, str]] = set()

    def show(self, held: Mapping[Partition, Held], place: Partition, end: int | None) -> None:
        """The records between where a partition is and the log's end, if that is known and the partition held."""
        if end is not None and place in held:
            labels = self._consumer, place[0], str(place[1])
            self._gauge.labels(*labels).set(max(0, end - held[place].next_offset))
            self._shown.add(labels)

    def forget(self) -> None:
        """Show nothing: others may hold the partitions from now on."""
        for labels in self._shown:
            self._gauge.remove(*labels)
        self._shown.clear()
