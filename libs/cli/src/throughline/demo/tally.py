"""Counts where a run's requests stand, channel by channel, from the events as they are read from the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from events.lifecycle import UNKNOWN, Standing, State, evolve
from events.times import to_us

Record = Mapping[str, Any]

CLOSED = (State.RESOLVED, State.ABANDONED)
MOST_NEWS = 6


@dataclass(frozen=True, slots=True)
class Said:
    """An event as the lifecycle takes it."""

    type: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Seen:
    """A request as far as it is known: times in µs since the epoch."""

    channel: str
    received_us: int
    standing: Standing = UNKNOWN
    connected_us: int | None = None
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `in_time` of `answered_or_lost` were connected within the target."""

    received: int = 0
    waiting: int = 0
    offered: int = 0
    connected: int = 0
    paused: int = 0
    resolved: int = 0
    abandoned: int = 0
    in_time: int = 0
    answered_or_lost: int = 0
    oldest_us: int | None = None  # since when the longest of those who wait has been there

    @property
    def service_level(self) -> float | None:
        """The share connected within the target, of all that were connected or gave up before; None where none was."""
        return self.in_time / self.answered_or_lost if self.answered_or_lost else None


class Tally:
    """Where everything stands. `target_us` is the speed of answer that counts as in time."""

    def __init__(self, target_us: int) -> None:
        self.target_us = target_us
        self.seen: dict[str, Seen] = {}
        self.counts: Counter[str] = Counter()

    def take(self, record: Record) -> None:
        """One event of the run, in the order of the log."""
        data = record["data"] or {}
        at_us = to_us(record["occurred_at"])
        kind = record["type"]
        if kind == "ContactReceived":
            self.seen.setdefault(record["request_id"], Seen(str(data.get("channel")), at_us))
        request = self.seen.get(record["request_id"])
        if request is None:
            return
        self.counts[kind] += 1
        if kind in ("OfferClosed", "Requeued"):
            self.counts[str(data.get("reason"))] += 1
        request.standing = evolve(request.standing, Said(kind, data))
        if kind == "Connected" and request.connected_us is None:
            request.connected_us = at_us
        if kind == "Abandoned" and request.connected_us is None:
            request.given_up = True

    def channels(self) -> list[str]:
        """Those that were used, the busiest first."""
        return [name for name, _ in Counter(each.channel for each in self.seen.values()).most_common()]

    def row(self, channel: str | None = None) -> Row:
        """One channel, or all of them."""
        return row_of([each for each in self.seen.values() if channel in (None, each.channel)], self.target_us)

    def still_open(self) -> list[str]:
        """The requests that are neither resolved nor abandoned."""
        return [request_id for request_id, each in self.seen.items() if each.standing.state not in CLOSED]

    def busy(self) -> set[str]:
        """The agents who hold something."""
        return {each.standing.agent_id for each in self.seen.values() if each.standing.agent_id}


def row_of(requests: Iterable[Seen], target_us: int) -> Row:
    """The counts over these requests."""
    known = list(requests)
    states = Counter(str(each.standing.state) for each in known)
    answered = [each for each in known if each.connected_us is not None]
    lost = [each for each in known if each.connected_us is None and each.given_up]
    in_time = sum((each.connected_us or 0) - each.received_us <= target_us for each in answered)
    waits = [each.received_us for each in known if each.standing.state == State.WAITING]
    return Row(
        received=len(known),
        **{state: states[state] for state in ("waiting", "offered", "connected", "paused", "resolved", "abandoned")},
        in_time=in_time,
        answered_or_lost=len(answered) + len(lost),
        oldest_us=min(waits, default=None),
    )
