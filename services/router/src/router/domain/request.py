"""A request as the router keeps it: where it stands, what it asks for, and what was done on it last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from events.lifecycle import Standing

SOURCE: Final = "/services/router"
TOPIC: Final = "contacts"

_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_UNMARKED: Final[Mapping[str, Mark]] = MappingProxyType({})


class Mark(NamedTuple):
    """What an order did when it was carried out: its event, the leg that it was given on, the leg that it led to."""

    event_id: str
    leg: int
    led: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of an agent's capacity on a channel; `n` counts from 0."""

    agent_id: str
    channel: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The row of a request.

    Times are µs since 1970 by the events' own times; `lapses_us` and the times in `avoid` are readings of the clock.
    `version` counts the router's events on it. `last_us` is the time of the latest event known of it, whoever stated
    it. `marks` keep what was done last by verb and agent (`mark_of`); `avoid` says for whom a new offer is kept back,
    and until when.
    """

    request_id: str
    standing: Standing
    channel: str
    customer_id: str
    key_id: str
    received_us: int
    last_us: int
    version: int = 0
    priority: int = 0
    severity: int = 3
    support_level: str = "standard"
    language: str | None = None
    skills: tuple[str, ...] = ()
    wanted_agent: str | None = None
    """The one agent whom it waits for, after a transfer to him."""
    closed_us: int | None = None
    closing_logged: bool = False
    """Whether its closing event has been seen in the log: what stands behind it there came later, by any clock."""
    offered_us: int | None = None
    lapses_us: int | None = None
    reoffer_after_us: int | None = None
    """How long whoever lets the present offer go is passed over."""
    policy_version: int | None = None
    routed_version: int | None = None
    """The stream version of its last Routed, whose decision is shown."""
    moved_by: str | None = None
    """The event that moved it last."""
    marks: Mapping[str, Mark] = field(default_factory=lambda: _UNMARKED)
    avoid: Mapping[str, int] = field(default_factory=lambda: _NONE)


def mark_of(verb: str, agent_id: str | None) -> str:
    """The name of a mark: what was done, and by which agent or by nobody."""
    return f"{verb} {agent_id or ''}"
