"""Checks from outside that what intake accepted is in audit's log exactly once and that every timeline adds up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from throughline.client import Client
from throughline.gauges import values
from throughline.trouble import Trouble

PAGE = 1_000
POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Proof:
    """How many events were to be found, which are missing or stand more than once, and the greatest residual in µs."""

    due: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    residual_us: float

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, no timeline that does not add up."""
        return not self.missing and not self.doubled and self.residual_us == 0


def settle(client: Client, seconds: float, told: Callable[[int, int], None]) -> None:
    """Waits until intake's outbox is empty and audit has read the log to its end. Trouble when the time is up.

    `told(outbox rows, lag in records)` hears how far it is.
    """
    deadline = time.monotonic() + seconds
    while True:
        rows, lag = _outbox(client), _lag(client)
        told(rows, lag)
        if rows == 0 and lag == 0:
            return
        if time.monotonic() > deadline:
            raise Trouble(
                f"audit is still {lag:,} records behind, and {rows:,} events wait in intake's outbox",
                "`throughline status` says what makes no progress",
            )
        time.sleep(POLL_S)


def prove(client: Client, event_ids: Collection[str], told: Callable[[int], None]) -> Proof:
    """Reads the whole log of contacts and looks for each of the events; duplicates that audit marked do not count."""
    seen: Counter[str] = Counter()
    for event in client.items("audit", "/v1/events", told, topic="contacts", limit=PAGE):
        if not event["duplicate"] and event["event_id"] is not None:
            seen[event["event_id"]] += 1
    missing = tuple(each for each in event_ids if each not in seen)
    doubled = tuple(each for each in event_ids if seen[each] > 1)
    return Proof(len(event_ids), missing, doubled, residual_us(client))


def residual_us(client: Client) -> float:
    """The greatest residual of any timeline, by audit's metric. Trouble where audit does not show it."""
    found = values(client.text("audit", "/metrics"), "throughline_residual_us")
    if not found:
        raise Trouble("audit shows no throughline_residual_us", "is that audit's URL?")
    return max(abs(value) for value in found)


def _outbox(client: Client) -> int:
    return round(sum(values(client.text("intake", "/metrics"), "throughline_outbox_rows")))


def _lag(client: Client) -> int:
    """Records that audit has still to read; a partition whose end is not known counts as one behind."""
    positions = client.get("audit", "/v1/positions", limit=PAGE)["items"]
    return sum(1 if each["lag"] is None else each["lag"] for each in positions)
