"""What a request's history amounts to: its legs, cycles and segments, and every number read off them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from events.lifecycle.entry import Entry
from events.lifecycle.evolve import UNKNOWN, Standing, text, whole
from events.lifecycle.order import Placed
from events.lifecycle.table import State

_STATES: Final = tuple(State)

Kind: TypeAlias = tuple[State | None, str | None]
"""What a segment counts as: its state, and its reason where it is a pause."""


@dataclass(slots=True)
class Segment:
    """A stretch `[start_us, end_us)` with one standing. The last one of a life is open."""

    standing: Standing
    start_us: int
    end_us: int | None = None

    @property
    def us(self) -> int | None:
        """Its length, null while it is open."""
        return None if self.end_us is None else self.end_us - self.start_us


@dataclass(slots=True)
class Leg:
    """One stretch towards one agent, from the moment the request begins to wait until he is done with it."""

    number: int
    cycle: int
    queue: str
    tier: int
    opened_us: int
    opened_by: str
    agent_id: str | None = None
    routed_us: int | None = None
    connected_us: int | None = None
    closed_us: int | None = None
    closed_by: str | None = None
    handle_us: int | None = None


@dataclass(slots=True)
class Cycle:
    """From ContactReceived or Reopened until Resolved or Abandoned: of the two last, at most one is set."""

    number: int
    opened_us: int
    resolved_us: int | None = None
    abandoned_us: int | None = None


@dataclass(slots=True)
class Counts:
    """How often what happened; only events that took effect count."""

    offers: int = 0
    declines: int = 0
    expiries: int = 0
    transfers: int = 0
    escalations: int = 0
    reopens: int = 0
    agents: int = 0


@dataclass(slots=True)
class Life:
    """A folded history. Times are µs since 1970 (UTC), durations µs, and null is what has not happened.

    `received_us`, `routed_us`, `connected_us`, `resolved_us` and `abandoned_us` are of the first cycle, `queue_wait_us`
    and `offer_us` what had been waited and offered at its first Connected, `set_aside_us` the resolved and
    customer's-turn time that had passed at the last Resolved. `closed` holds the sum of the closed segments of each
    kind, where there was one. `applied` are the ids of the events that took effect, `moved_us` is the time of the last
    one that moved the state. `durations` and `metrics` stand in the registry's order.
    """

    events: list[Placed]
    applied: set[str] = field(default_factory=set)
    received: Entry | None = None
    standing: Standing = UNKNOWN
    legs: list[Leg] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    closed: dict[Kind, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    agents: set[str] = field(default_factory=set)
    received_us: int | None = None
    routed_us: int | None = None
    connected_us: int | None = None
    resolved_us: int | None = None
    abandoned_us: int | None = None
    first_connected: Leg | None = None
    queue_wait_us: int | None = None
    offer_us: int | None = None
    first_resolved_us: int | None = None
    last_resolved_us: int | None = None
    set_aside_us: int = 0
    moved_us: int | None = None
    residual_us: int = 0
    tags: list[str] = field(default_factory=list)
    missing: list[tuple[str, int]] = field(default_factory=list)
    durations: tuple[int | None, ...] = ()
    metrics: tuple[int | None, ...] = ()

    @property
    def state(self) -> State | None:
        """Null as long as the ContactReceived is not among the events."""
        return self.standing.state

    @property
    def complete(self) -> bool:
        """Whether the ContactReceived is known and no source's sequence has a gap."""
        return self.received is not None and not self.missing

    @property
    def contact(self) -> Mapping[str, Any]:
        """The data of the ContactReceived that began this life; empty without one."""
        return {} if self.received is None else self.received.data

    @property
    def time_in(self) -> dict[State, int]:
        """Sum of the closed segments of every state, 0 where there was none."""
        spent = dict.fromkeys(_STATES, 0)
        for (state, _), us in self.closed.items():
            if state is not None:
                spent[state] += us
        return spent

    @property
    def customer_id(self) -> str | None:
        """The customer as intake stated him, else as the contact names him."""
        customer = self.contact.get("customer")
        named = text(customer, "id") if isinstance(customer, dict) else None
        return text(self.contact, "customer_id") or named

    @property
    def channel(self) -> str | None:
        return text(self.contact, "channel")

    @property
    def support_level(self) -> str:
        return text(self.contact, "support_level") or "standard"

    @property
    def severity(self) -> int:
        """1 (worst) to 4."""
        return whole(self.contact, "severity") or 3

    @property
    def reporting_leg(self) -> Leg | None:
        """The leg that a report counts the request under: the first that connected in the first cycle, else leg 1."""
        return self.first_connected or (self.legs[0] if self.legs else None)
