"""The demo's own audit: what was answered with yes is in the log once and in a timeline, and every timeline adds up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from events.times import to_us
from throughline.demo.capacity import Capacity, Record, capacity
from throughline.demo.log import Log
from throughline.demo.wire import Answered, Wire

Timeline = Mapping[str, Any]

AT_ONCE = 6
NOT_FOUND = 404
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """How much was checked, and what did not hold, by id. Nothing wrong means that it holds."""

    contacts: int
    answered: int
    logged: int
    untold: tuple[str, ...]  # requests without a timeline
    missing: tuple[str, ...]  # events that were answered and are not in the log
    doubled: tuple[str, ...]  # events that stand in the log more than once, not marked as duplicates
    unlike: tuple[str, ...]  # requests whose timeline tells other events than the log holds, or lacks one
    residual_us: int  # the greatest, by our own sums
    still_open: tuple[str, ...]  # requests that nobody brought to an end
    capacity: Capacity

    @property
    def wrong(self) -> list[str]:
        """What does not hold, in sentences."""
        named = {
            "accepted contacts have no timeline": self.untold,
            "events that were answered are not in the log": self.missing,
            "events stand in the log twice": self.doubled,
            "timelines tell other events than the log": self.unlike,
            "contacts came to no end": self.still_open,
        }
        found = [f"{len(ids)} {what}: {', '.join(ids[:SHOWN])}" for what, ids in named.items() if ids]
        if self.residual_us:
            found.append(f"a timeline is off by {self.residual_us} µs")
        return [*found, *self.capacity.wrong]


def prove(
    answered: Answered,
    log: Log,
    timelines: Mapping[str, Timeline],
    may_hold: Mapping[str, Mapping[str, int]],
    still_open: Sequence[str],
) -> Proof:
    """Compares what was answered, what the log holds and what the timelines tell; no figure of audit's is believed."""
    histories = {name: records for name, records in log.by_request.items() if records}
    requests = dict.fromkeys(answered.requests)
    channels = {name: str(records[0]["data"].get("channel")) for name, records in histories.items()}
    return Proof(
        contacts=len(requests),
        answered=len(answered.events),
        logged=sum(log.counted.values()),
        untold=tuple(name for name in requests if name not in timelines),
        missing=tuple(event_id for event_id in answered.events if event_id not in log.counted),
        doubled=tuple(event_id for event_id, count in log.counted.items() if count > 1),
        unlike=tuple(name for name, told in timelines.items() if not _alike(told, histories.get(name, []))),
        residual_us=max((residual_us(told) for told in timelines.values()), default=0),
        still_open=tuple(still_open),
        capacity=capacity(histories, channels, may_hold),
    )


def residual_us(timeline: Timeline) -> int:
    """By how much a timeline fails to add up: gaps, overlaps, wrong lengths, and what it admits itself."""
    closed = [(to_us(each["start"]), to_us(each["end"]), each["us"]) for each in timeline["segments"] if each["end"]]
    lengths: int = sum(abs(end - start - us) for start, end, us in closed)
    seams = sum(abs(one[1] - other[0]) for one, other in pairwise(closed))
    begins = abs(closed[0][0] - to_us(timeline["received_at"])) if closed else 0
    return lengths + seams + begins + abs(int(timeline["residual_us"]))


async def timelines_of(wire: Wire, requests: Sequence[str]) -> dict[str, Timeline]:
    """The timeline of each request that audit knows."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(request_id: str) -> tuple[str, Timeline | None]:
        async with gate:
            answer = await wire.call("audit", "GET", f"/v1/requests/{request_id}/timeline", but={NOT_FOUND})
        return request_id, answer.json() if answer.is_success else None

    found = await asyncio.gather(*(one(request_id) for request_id in dict.fromkeys(requests)))
    return {request_id: told for request_id, told in found if told is not None}


def _alike(timeline: Timeline, records: Sequence[Record]) -> bool:
    """Whether it is complete and tells each event of the log once; what came since is no fault of either."""
    told = [event["event_id"] for event in timeline["events"]]
    logged = {record["event_id"] for record in records}
    return bool(timeline["complete"]) and len(told) == len(set(told)) and logged <= set(told)
