"""What the answers look like, for the OpenAPI document: they are written without passing through these."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from events.lifecycle import HEADLINES, METRICS, REPORTED, State

Us = int | None
At = str | None
StateName = Literal["waiting", "offered", "connected", "paused", "resolved", "abandoned"]


class Shown(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _made(name: str, members: Mapping[str, Any]) -> type[BaseModel]:
    """A part whose members the registry names."""
    definitions: Any = {member: (kind, ...) for member, kind in members.items()}
    return create_model(name, __base__=Shown, **definitions)


class RequestItem(Shown):
    """A request in a list; queue, tier and agent are those of its last leg."""

    request_id: str
    customer_id: str | None
    state: StateName | None
    channel: str | None
    queue: str | None
    tier: int | None
    agent_id: str | None
    received_at: At
    routed_at: At
    connected_at: At
    resolved_at: At


class RequestPage(Shown):
    """Newest received first."""

    items: list[RequestItem]
    next_cursor: str | None


class EventItem(Shown):
    """A record of the log. One that cannot be read has its place and `unreadable` alone."""

    position: str
    event_id: str | None
    request_id: str | None
    type: str | None
    occurred_at: At
    raw_occurred_at: None
    source: str | None
    sequence: int | None
    causation_id: str | None
    data: dict[str, Any] | None
    duplicate: bool
    """Its event stood in the log before."""
    unreadable: str | None
    """Why nothing can be said of it."""


class EventPage(Shown):
    """In the order of the log within each partition."""

    items: list[EventItem]
    next_cursor: str


class PositionItem(Shown):
    """How far one partition of the log has been taken in."""

    topic: str
    partition: int
    end: int | None
    projected: int
    lag: int | None
    behind_us: Us


class PositionPage(Shown):
    """Every partition."""

    items: list[PositionItem]
    next_cursor: str | None


class Statistics(Shown):
    """Figures over the requests that have the metric; nulls where nobody has it."""

    count: int
    sum_us: Us
    min_us: Us
    mean_us: Us
    p50_us: Us
    p90_us: Us
    p95_us: Us
    p99_us: Us
    max_us: Us


ReportMetrics = _made("ReportMetrics", {metric.name: Statistics for metric in REPORTED})


class ReportGroup(Shown):
    """The requests of one key."""

    key: dict[str, str | int | None]
    requests: int
    short_abandons: int
    metrics: ReportMetrics  # type: ignore[valid-type]  # made from the registry above


class Report(Shown):
    """Exact durations of the requests whose headline time lies in `[from, to)`."""

    from_: str = Field(alias="from")
    to: str
    cohort: Literal["received", "connected", "resolved"]
    group_by: list[str]
    tz: str
    as_of: At
    groups: list[ReportGroup]


class Missing(Shown):
    """An event that must exist, by the gap in its source's numbers."""

    source: str
    sequence: int


class LegObject(Shown):
    """One stretch towards one agent."""

    leg: int
    cycle: int
    tier: int
    queue: str
    agent_id: str | None
    opened_at: str
    opened_by: str
    routed_at: At
    connected_at: At
    closed_at: At
    closed_by: str | None
    handle_us: Us


class SegmentObject(Shown):
    """A stretch with one state; the last one is open."""

    state: StateName
    start: str
    end: At
    us: Us
    leg: int
    cycle: int
    agent_id: str | None
    queue: str
    tier: int
    reason: str | None


class TimelineEvent(Shown):
    """An event at its effective time."""

    position: str
    event_id: str
    request_id: str
    type: str
    occurred_at: str
    raw_occurred_at: At
    source: str
    sequence: int | None
    causation_id: str | None
    data: dict[str, Any]
    effect: Literal["applied", "recorded"]


class Counts(Shown):
    """How often what happened."""

    offers: int
    declines: int
    expiries: int
    transfers: int
    escalations: int
    reopens: int
    agents: int


Durations = _made("Durations", {metric.name: Us for metric in HEADLINES})
TimeIn = _made("TimeIn", {f"{state}_us": int for state in State})
MetricsObject = _made("MetricsObject", {metric.name: Us for metric in METRICS} | {"cycle_resolution_us": list[Us]})


class TimelineObject(Shown):
    """A request's whole life, exactly."""

    request_id: str
    customer_id: str | None
    channel: str | None
    state: StateName | None
    complete: bool
    missing: list[Missing]
    received_at: At
    routed_at: At
    connected_at: At
    resolved_at: At
    durations: Durations  # type: ignore[valid-type]  # made from the registry above
    time_in: TimeIn  # type: ignore[valid-type]  # as above
    metrics: MetricsObject  # type: ignore[valid-type]  # as above
    counts: Counts
    legs: list[LegObject]
    segments: list[SegmentObject]
    events: list[TimelineEvent]
    tags: list[str]
    as_of: str
    residual_us: int
