"""The small row per request that lists, histories and reports are answered from."""

import zlib
from typing import Final, NamedTuple

from audit.domain.history import History
from events.lifecycle import REPORTED, Leg, Life, State, fold

_REVISION: Final = 1
"""Rises when a summary changes in meaning without any metric's version doing so."""

PROJECTION: Final = zlib.crc32(repr((_REVISION, [(metric.name, metric.version) for metric in REPORTED])).encode()) >> 1
"""Which projection made a row: revision, and every metric with its version in the registry's order. Fits 31 bits."""

LONGEST_KEY: Final = 100
"""How many characters of a customer's id are indexed; ids may be of any length."""


_new: Final = tuple.__new__


class Summary(NamedTuple):
    """One request as known at `last_known_us`. Times and durations in µs; null is what has not happened.

    `queue`, `tier` and `agent_id` are the last leg's, those with `report_` the leg's that a report counts the request
    under. `metrics` stand in the order of `events.lifecycle.REPORTED`. `earliest_us` and `latest_us` are the least and
    greatest stated time of its events: no headline time, at whatever state of knowledge, lies outside of them.
    """

    request_id: str
    projection: int
    customer_id: str | None
    channel: str | None
    support_level: str
    severity: int
    state: State | None
    queue: str | None
    tier: int | None
    agent_id: str | None
    report_queue: str | None
    report_tier: int | None
    report_agent_id: str | None
    received_us: int | None
    routed_us: int | None
    connected_us: int | None
    resolved_us: int | None
    residual_us: int
    first_known_us: int
    last_known_us: int
    earliest_us: int
    latest_us: int
    events: int
    metrics: tuple[int | None, ...]


def summarise(request_id: str, history: History) -> Summary:
    """Folds a history that is not empty."""
    return summary_of(request_id, fold(history.entries()), *history.known_us)


def summary_of(request_id: str, life: Life, first_known_us: int, last_known_us: int) -> Summary:
    """The row of a life; the two times say since when its first and its last event are known."""
    last = _whereabouts(life.legs[-1] if life.legs else None)
    counted = _whereabouts(life.reporting_leg)
    stated = [placed.entry.occurred_us for placed in life.events]
    # By place, and past the constructor of a class with names: these cost as much here as all the rest.
    return _new(
        Summary,
        (
            request_id,
            PROJECTION,
            life.customer_id,
            life.channel,
            life.support_level,
            life.severity,
            life.standing.state,
            *last,
            *counted,
            life.received_us,
            life.routed_us,
            life.connected_us,
            life.resolved_us,
            life.residual_us,
            first_known_us,
            last_known_us,
            min(stated),
            max(stated),
            len(stated),
            life.durations + life.metrics,
        ),
    )


def _whereabouts(leg: Leg | None) -> tuple[str | None, int | None, str | None]:
    return (None, None, None) if leg is None else (leg.queue, leg.tier, leg.agent_id)
