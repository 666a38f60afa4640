"""What an agent's desk is told: how what he is offered and has differs from what it was told before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from events.lifecycle.table import State


class News(StrEnum):
    """What happened to one of an agent's assignments."""

    OFFER = "offer"
    WITHDRAWAL = "withdrawal"
    """An offer is none any more, and he is not connected: declined, lapsed, taken back, or the request ended."""
    CONNECTED = "connected"
    PAUSED = "paused"
    RELEASED = "released"
    """He has the request no longer."""


class Held(NamedTuple):
    """An assignment, by request and leg."""

    request_id: str
    leg: int


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell."""

    news: News
    held: Held


_COMES: Final[Mapping[State, News]] = {
    State.OFFERED: News.OFFER,
    State.CONNECTED: News.CONNECTED,
    State.PAUSED: News.PAUSED,
}
_GOES: Final[Mapping[State, News]] = {
    State.OFFERED: News.WITHDRAWAL,
    State.CONNECTED: News.RELEASED,
    State.PAUSED: News.RELEASED,
}


def changes(before: Mapping[Held, State], now: Mapping[Held, State]) -> list[Told]:
    """What to tell, what has gone first; assignments are told in the order of `now`."""
    gone = [Told(_GOES[state], held) for held, state in before.items() if held not in now]
    return gone + [Told(_COMES[state], held) for held, state in now.items() if before.get(held) is not state]
