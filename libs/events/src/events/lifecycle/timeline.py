"""A life as the JSON object that users read: times as text, durations in µs, each event with its effect."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from events.lifecycle.entry import Entry
from events.lifecycle.life import Leg, Life, Segment
from events.lifecycle.metrics import CYCLE_METRICS, HEADLINES, METRICS
from events.lifecycle.order import Placed
from events.lifecycle.table import State
from events.times import to_text

_TIME_IN: Final = {state: f"{state}_us" for state in State}


def timeline(
    life: Life, *, request_id: str, as_of_us: int, open_data: Callable[[Entry], Mapping[str, Any]]
) -> dict[str, Any]:
    """The timeline of one request as known at `as_of_us`, ready to be written as JSON.

    `open_data` gives the data that this reader may see of an event: the lifecycle knows neither keys nor scopes.
    Raises ValueError where a time lies outside the years 1970 to 9999.
    """
    return {
        "request_id": request_id,
        "customer_id": life.customer_id,
        "channel": life.channel,
        "state": life.state,
        "complete": life.complete,
        "missing": [{"source": source, "sequence": sequence} for source, sequence in life.missing],
        "received_at": _at(life.received_us),
        "routed_at": _at(life.routed_us),
        "connected_at": _at(life.connected_us),
        "resolved_at": _at(life.resolved_us),
        "durations": {metric.name: us for metric, us in zip(HEADLINES, life.durations, strict=True)},
        "time_in": {_TIME_IN[state]: us for state, us in life.time_in.items()},
        "metrics": _metrics(life),
        "counts": _counts(life),
        "legs": [_leg(leg) for leg in life.legs],
        "segments": [_segment(segment) for segment in life.segments],
        "events": [_event(placed, life, request_id, open_data(placed.entry)) for placed in life.events],
        "tags": life.tags,
        "as_of": _text(as_of_us),
        "residual_us": life.residual_us,
    }


@lru_cache(maxsize=1_024)
def _text(us: int) -> str:
    """One moment is told in several places: by an event, by a leg, by the segments that it parts."""
    return to_text(us)


def _at(us: int | None) -> str | None:
    return None if us is None else _text(us)


def _metrics(life: Life) -> dict[str, int | list[int | None] | None]:
    stated: dict[str, int | list[int | None] | None] = {}
    for metric, us in zip(METRICS, life.metrics, strict=True):
        stated[metric.name] = us
    for per_cycle in CYCLE_METRICS:
        stated[per_cycle.name] = [per_cycle.of(cycle) for cycle in life.cycles]
    return stated


def _counts(life: Life) -> dict[str, int]:
    counts = life.counts
    return {
        "offers": counts.offers,
        "declines": counts.declines,
        "expiries": counts.expiries,
        "transfers": counts.transfers,
        "escalations": counts.escalations,
        "reopens": counts.reopens,
        "agents": counts.agents,
    }


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "leg": leg.number,
        "cycle": leg.cycle,
        "tier": leg.tier,
        "queue": leg.queue,
        "agent_id": leg.agent_id,
        "opened_at": _text(leg.opened_us),
        "opened_by": leg.opened_by,
        "routed_at": _at(leg.routed_us),
        "connected_at": _at(leg.connected_us),
        "closed_at": _at(leg.closed_us),
        "closed_by": leg.closed_by,
        "handle_us": leg.handle_us,
    }


def _segment(segment: Segment) -> dict[str, Any]:
    standing = segment.standing
    return {
        "state": standing.state,
        "start": _text(segment.start_us),
        "end": _at(segment.end_us),
        "us": segment.us,
        "leg": standing.leg,
        "cycle": standing.cycle,
        "agent_id": standing.agent_id,
        "queue": standing.queue,
        "tier": standing.tier,
        "reason": standing.reason,
    }


def _event(placed: Placed, life: Life, request_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    entry = placed.entry
    raised = placed.effective_us != entry.occurred_us
    return {
        "position": entry.position,
        "event_id": entry.event_id,
        "request_id": request_id,
        "type": entry.type,
        "occurred_at": _text(placed.effective_us),
        "raw_occurred_at": _text(entry.occurred_us) if raised else None,
        "source": entry.source,
        "sequence": entry.sequence,
        "causation_id": entry.causation_id,
        "data": data,
        "effect": "applied" if placed.event_id in life.applied else "recorded",
    }
