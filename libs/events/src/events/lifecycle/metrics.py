"""The registry of metrics: what each number is called, from where to where it runs, and how it is read off a life."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from events.lifecycle.entry import IMPORTS
from events.lifecycle.life import Cycle, Kind, Life
from events.lifecycle.table import State
from events.times import to_us


class Cohort(StrEnum):
    """Requests that have one headline time: a report takes those whose time of that name lies in its window."""

    RECEIVED = "received"
    CONNECTED = "connected"
    RESOLVED = "resolved"


class Clock(StrEnum):
    """Which clock runs: every hour of every day, on our events' times, or from the gateway's own reading to ours."""

    WALL = "wall"
    GATEWAY = "gateway to wall"


@dataclass(frozen=True, slots=True)
class Described:
    """What a number means. `version` rises when the meaning changes; `cohort` holds all requests that can have it."""

    name: str
    version: int
    start: str
    stop: str
    clock: Clock
    cohort: Cohort
    description: str


@dataclass(frozen=True, slots=True)
class Metric(Described):
    """A number of µs per request, or null."""

    of: Callable[[Life], int | None]


@dataclass(frozen=True, slots=True)
class CycleMetric(Described):
    """A number of µs per cycle, or null. It is no part of reports."""

    of: Callable[[Cycle], int | None]


HANDLED: Final[frozenset[Kind]] = frozenset({(State.CONNECTED, None), (State.PAUSED, "hold")})
WAITED_FOR: Final[frozenset[Kind]] = frozenset(
    {(State.WAITING, None), (State.OFFERED, None), (State.PAUSED, "third_party")}
)
WORKED: Final[frozenset[Kind]] = frozenset({(State.CONNECTED, None)})
SET_ASIDE: Final[frozenset[Kind]] = frozenset({(State.RESOLVED, None), (State.PAUSED, "customer")})


def _between(start_us: int | None, stop_us: int | None) -> int | None:
    return None if start_us is None or stop_us is None else stop_us - start_us


def _spent(life: Life, kinds: Iterable[Kind]) -> int | None:
    """The closed segments of these kinds, added up; null until the first of them has closed."""
    spent = [life.closed[kind] for kind in kinds if kind in life.closed]
    return sum(spent) if spent else None


def _right_agent(life: Life) -> int | None:
    leg = life.first_connected
    return None if leg is None else _between(life.received_us, leg.routed_us)


def _net_resolution(life: Life) -> int | None:
    full = _between(life.received_us, life.last_resolved_us)
    return None if full is None else full - life.set_aside_us


def _intake(life: Life) -> int | None:
    if life.received is None or life.received_us is None or life.received.source == IMPORTS:
        return None
    stated = life.received.data.get("occurred_at")
    if not isinstance(stated, str):
        return None
    try:
        return max(life.received_us - to_us(stated), 0)
    except ValueError:
        return None


HEADLINES: Final = (
    Metric(
        "received_to_routed_us",
        1,
        "ContactReceived",
        "first Routed before the first Connected, first cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "How long it took until somebody was offered the request for the first time.",
        lambda life: _between(life.received_us, life.routed_us),
    ),
    Metric(
        "routed_to_connected_us",
        1,
        "first Routed before the first Connected, first cycle",
        "first Connected, first cycle",
        Clock.WALL,
        Cohort.CONNECTED,
        "How long it took from the first offer until an agent and the customer were connected.",
        lambda life: _between(life.routed_us, life.connected_us),
    ),
    Metric(
        "connected_to_resolved_us",
        1,
        "first Connected, first cycle",
        "Resolved of the first cycle",
        Clock.WALL,
        Cohort.RESOLVED,
        "How long it took from the first connection until the request was first settled.",
        lambda life: _between(life.connected_us, life.resolved_us),
    ),
    Metric(
        "received_to_resolved_us",
        1,
        "ContactReceived",
        "Resolved of the first cycle",
        Clock.WALL,
        Cohort.RESOLVED,
        "The whole way to the first settlement: the three steps before it added up, where none is missing.",
        lambda life: _between(life.received_us, life.resolved_us),
    ),
)
"""The four headline durations, in the order of the steps."""

METRICS: Final = (
    Metric(
        "time_to_right_agent_us",
        1,
        "ContactReceived",
        "Routed of the leg that first connected, first cycle",
        Clock.WALL,
        Cohort.CONNECTED,
        "Until the agent who really took the request was chosen, all offers in vain included.",
        _right_agent,
    ),
    Metric(
        "speed_of_answer_us",
        1,
        "ContactReceived",
        "first Connected, first cycle",
        Clock.WALL,
        Cohort.CONNECTED,
        "Until a customer first spoke with an agent.",
        lambda life: _between(life.received_us, life.connected_us),
    ),
    Metric(
        "queue_wait_us",
        1,
        "ContactReceived",
        "first Connected, first cycle",
        Clock.WALL,
        Cohort.CONNECTED,
        "The part of the speed of answer in which the request was offered to nobody.",
        lambda life: life.queue_wait_us,
    ),
    Metric(
        "offer_us",
        1,
        "ContactReceived",
        "first Connected, first cycle",
        Clock.WALL,
        Cohort.CONNECTED,
        "The part of the speed of answer in which the request was offered to somebody.",
        lambda life: life.offer_us,
    ),
    Metric(
        "handle_us",
        1,
        "each Connected or Resumed, and each pause on hold",
        "the end of that stretch",
        Clock.WALL,
        Cohort.RECEIVED,
        "Time with agents, holds included, over all legs and cycles.",
        lambda life: _spent(life, HANDLED),
    ),
    Metric(
        "requester_wait_us",
        1,
        "each wait, offer and pause for a third party",
        "the end of that stretch",
        Clock.WALL,
        Cohort.RECEIVED,
        "Time in which the customer waits for us or for those whom we wait for, over all cycles.",
        lambda life: _spent(life, WAITED_FOR),
    ),
    Metric(
        "agent_work_us",
        1,
        "each Connected or Resumed",
        "the end of that stretch",
        Clock.WALL,
        Cohort.RECEIVED,
        "Time with agents without any pause, over all legs and cycles.",
        lambda life: _spent(life, WORKED),
    ),
    Metric(
        "first_resolution_us",
        1,
        "ContactReceived",
        "first Resolved of any cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "Until the request was settled for the first time, be it after it was abandoned and reopened.",
        lambda life: _between(life.received_us, life.first_resolved_us),
    ),
    Metric(
        "full_resolution_us",
        1,
        "ContactReceived",
        "last Resolved of any cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "Until the request was settled for the last time, as far as is known.",
        lambda life: _between(life.received_us, life.last_resolved_us),
    ),
    Metric(
        "net_resolution_us",
        1,
        "ContactReceived",
        "last Resolved of any cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "The full resolution without the time in which it was settled or it was the customer's turn.",
        _net_resolution,
    ),
    Metric(
        "abandon_us",
        1,
        "ContactReceived",
        "Abandoned of the first cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "How long a customer stayed who then gave up; the very short ones are in it.",
        lambda life: _between(life.received_us, life.abandoned_us),
    ),
    Metric(
        "intake_us",
        1,
        "the gateway's own time of receipt",
        "ContactReceived",
        Clock.GATEWAY,
        Cohort.RECEIVED,
        "From gateway to intake, by two clocks: so no part of any wait, and 0 where the gateway's is ahead.",
        _intake,
    ),
)
"""The metrics of one request, each a single number."""

CYCLE_METRICS: Final = (
    CycleMetric(
        "cycle_resolution_us",
        1,
        "ContactReceived or Reopened",
        "Resolved of the same cycle",
        Clock.WALL,
        Cohort.RECEIVED,
        "For each cycle, how long it took to settle it.",
        lambda cycle: _between(cycle.opened_us, cycle.resolved_us),
    ),
)

REPORTED: Final = HEADLINES + METRICS
"""What a report states of every group, in this order."""
