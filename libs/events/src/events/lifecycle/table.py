"""The lifecycle of a request as data: its states, what moves it, and which of simultaneous events comes first."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a request stands. A request that has not been received yet stands nowhere: `None`."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTED = "connected"
    PAUSED = "paused"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"


TRANSITIONS: Final[Mapping[State | None, Mapping[str, State]]] = MappingProxyType(
    {
        None: {
            "ContactReceived": State.WAITING,
        },
        State.WAITING: {
            "Requeued": State.WAITING,
            "Routed": State.OFFERED,
            "Connected": State.CONNECTED,
            "Resolved": State.RESOLVED,
            "Abandoned": State.ABANDONED,
        },
        State.OFFERED: {
            "Requeued": State.WAITING,
            "OfferClosed": State.WAITING,
            "Connected": State.CONNECTED,
            "Resolved": State.RESOLVED,
            "Abandoned": State.ABANDONED,
        },
        State.CONNECTED: {
            "Transferred": State.WAITING,
            "Requeued": State.WAITING,
            "Paused": State.PAUSED,
            "Resolved": State.RESOLVED,
            "Abandoned": State.ABANDONED,
        },
        State.PAUSED: {
            "Transferred": State.WAITING,
            "Requeued": State.WAITING,
            "Resumed": State.CONNECTED,
            "Resolved": State.RESOLVED,
            "Abandoned": State.ABANDONED,
        },
        State.RESOLVED: {
            "Reopened": State.WAITING,
        },
        State.ABANDONED: {
            "Reopened": State.WAITING,
        },
    }
)
"""State and event type → next state. A pair that is not here moves nothing: the event is `recorded` as a remark."""

OPENS_LEG: Final = frozenset({"ContactReceived", "Reopened", "Transferred", "Requeued", "OfferClosed"})
"""Moves after which the request waits anew, for another agent."""

OPENS_CYCLE: Final = frozenset({"ContactReceived", "Reopened"})
"""Moves that begin a cycle, which lasts until the request is resolved or abandoned."""

ENDS: Final = frozenset({State.RESOLVED, State.ABANDONED})
"""States in which the cycle is over and nobody holds the request."""

TAKEN_UP_BY: Final[Mapping[str, str]] = MappingProxyType({"Requeued": "Escalated"})
"""Move → the type of decision that takes effect when such a move, itself allowed, names it as its cause."""

ORDER: Final = (
    "ContactReceived",
    "Reopened",
    "MessageReceived",
    "Transferred",
    "Escalated",
    "Requeued",
    "OfferClosed",
    "Routed",
    "Connected",
    "Resumed",
    "Paused",
    "Resolved",
    "Abandoned",
    "FeedbackReceived",
)
"""Which goes first of events with the same effective time and depth. All other types share the place after the last."""

RANK: Final[Mapping[str, int]] = MappingProxyType({type_: place for place, type_ in enumerate(ORDER)})
LAST_RANK: Final = len(ORDER)
