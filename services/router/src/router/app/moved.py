"""What came of moves that were written: who stands where now, who lost, and who should hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.store import Appended
from router.domain.request import Request


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of a batch of moves.

    `done` are the requests that were moved, as they stand now, and `lost` those for which nothing was written: the unit
    was taken, the agent gone, or the request no longer what the move rests on. `queues` have something to match now, a
    waiting request or a free unit; `agents` are those whose assignments changed.
    """

    done: Mapping[str, Request]
    lost: frozenset[str]
    appended: Appended
    queues: frozenset[str]
    agents: frozenset[str]


def waits(queue: str) -> Applied:
    """Nothing was moved; a request that begins waits in this queue."""
    return Applied({}, frozenset(), Appended({}, {}, frozenset()), frozenset({queue}), frozenset())
