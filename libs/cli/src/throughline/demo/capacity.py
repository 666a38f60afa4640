"""Proves from a history that no agent ever held more than he may: by a sweep of our own, not by the product's fold.

A unit is held from the offer until the leg ends, whoever ends it. Times are the events' own, and intervals are
half-open: at one moment what ends goes before what begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from events.times import to_us

Record = Mapping[str, Any]

ROUTER = "/services/router"
ENDS = ("OfferClosed", "Requeued", "Transferred", "Resolved", "Abandoned")
FOR_EVER = 2**63


@dataclass(frozen=True, slots=True)
class Holding:
    """An agent held a request over a channel in `[start_us, end_us)`, µs since the epoch."""

    agent_id: str
    channel: str
    request_id: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Load:
    """The most that an agent held of a channel at once, when that began, and how much he may hold."""

    agent_id: str
    channel: str
    most: int
    at_us: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What came out: every load, and in words what is wrong."""

    loads: tuple[Load, ...]
    wrong: tuple[str, ...]

    @property
    def full(self) -> int:
        """How many agents and channels were filled to the last unit, but not beyond."""
        return sum(load.most == load.capacity for load in self.loads)


def capacity(
    histories: Mapping[str, Iterable[Record]], channels: Mapping[str, str], may_hold: Mapping[str, Mapping[str, int]]
) -> Capacity:
    """Checks every history (records by request) against what each agent may hold (agent → channel → how many)."""
    held: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    wrong: list[str] = []
    for request_id, records in histories.items():
        for holding in holdings(request_id, channels[request_id], records, wrong):
            held[holding.agent_id, holding.channel].append(holding)
    loads = [_load(agent_id, channel, each, may_hold) for (agent_id, channel), each in sorted(held.items())]
    wrong += [
        f"{load.agent_id} held {load.most} of {load.channel} at once, {load.capacity} allowed"
        for load in loads
        if load.most > load.capacity
    ]
    return Capacity(tuple(loads), tuple(wrong))


def holdings(request_id: str, channel: str, records: Iterable[Record], wrong: list[str]) -> list[Holding]:
    """Who held one request from when until when; what cannot be is added to `wrong`."""
    found: list[Holding] = []
    holder, since, last = "", 0, 0
    for record in sorted(
        (each for each in records if each["source"] == ROUTER), key=lambda each: int(each["sequence"])
    ):
        kind, agent_id, at_us = record["type"], str(record["data"].get("agent_id") or ""), to_us(record["occurred_at"])
        if at_us <= last:
            wrong.append(f"{request_id}: {kind} is not later than what came before it")
        last = at_us
        if kind in ("Routed", "Connected") and not holder:
            holder, since = agent_id, at_us
        elif kind == "Routed" or (kind == "Connected" and agent_id != holder):
            wrong.append(f"{request_id}: {kind} to {agent_id} while {holder} held it")
        elif kind in ENDS and holder:
            found.append(Holding(holder, channel, request_id, since, at_us))
            holder = ""
    if holder:
        found.append(Holding(holder, channel, request_id, since, FOR_EVER))
    return found


def _load(agent_id: str, channel: str, held: list[Holding], may_hold: Mapping[str, Mapping[str, int]]) -> Load:
    steps = sorted(step for each in held for step in ((each.start_us, 1), (each.end_us, -1)))
    load = most = at_us = 0
    for moment, step in steps:  # -1 sorts before 1: at one moment what ends goes first
        load += step
        if load > most:
            most, at_us = load, moment
    return Load(agent_id, channel, most, at_us, may_hold.get(agent_id, {}).get(channel, 0))
