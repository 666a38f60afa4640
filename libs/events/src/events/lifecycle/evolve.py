"""One step of the lifecycle: where a request stands after an event. Whoever folds, folds with this."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from events.lifecycle.entry import Event
from events.lifecycle.table import OPENS_CYCLE, OPENS_LEG, TRANSITIONS, State


class Standing(NamedTuple):
    """Where a request stands, and with whom.

    `leg` and `cycle` count from 1. `queue` and `tier` are the leg's as known now. `agent_id` is set while somebody is
    offered the request or holds it. `reason` says why it is paused, and is null otherwise.
    """

    state: State | None = None
    leg: int = 0
    cycle: int = 0
    queue: str = "default"
    tier: int = 1
    agent_id: str | None = None
    reason: str | None = None


UNKNOWN: Final = Standing()
"""Before its ContactReceived. It carries the queue and tier of a contact that names none."""


def evolve(standing: Standing, event: Event) -> Standing:
    """The standing after `event`; the very same object where the table does not let the event move the request."""
    to = TRANSITIONS[standing.state].get(event.type)
    if to is None:
        return standing
    return _STEPS[event.type](standing, to, event.data, event.type)


_Data: TypeAlias = Mapping[str, Any]
_BEYOND: Final = 2**31


def _open_leg(was: Standing, to: State, place: _Data, type_: str) -> Standing:
    return Standing(to, was.leg + 1, was.cycle + (type_ in OPENS_CYCLE), _queue(place, was), _tier(place, was))


def _transfer(was: Standing, to: State, data: _Data, type_: str) -> Standing:
    target = data.get("to")
    return _open_leg(was, to, target if isinstance(target, dict) else {}, type_)


def _offer(was: Standing, to: State, data: _Data, _: str) -> Standing:
    return Standing(to, was.leg, was.cycle, _queue(data, was), _tier(data, was), text(data, "agent_id"))


def _connect(was: Standing, to: State, data: _Data, _: str) -> Standing:
    agent_id = text(data, "agent_id") or was.agent_id
    return Standing(to, was.leg, was.cycle, _queue(data, was), _tier(data, was), agent_id)


def _pause(was: Standing, to: State, data: _Data, _: str) -> Standing:
    return Standing(to, was.leg, was.cycle, was.queue, was.tier, was.agent_id, text(data, "reason"))


def _resume(was: Standing, to: State, _data: _Data, _: str) -> Standing:
    return Standing(to, was.leg, was.cycle, was.queue, was.tier, was.agent_id)


def _end(was: Standing, to: State, _data: _Data, _: str) -> Standing:
    return Standing(to, was.leg, was.cycle, was.queue, was.tier)


_STEPS: Final[Mapping[str, Callable[[Standing, State, _Data, str], Standing]]] = {
    **dict.fromkeys(OPENS_LEG, _open_leg),
    "Transferred": _transfer,
    "Routed": _offer,
    "Connected": _connect,
    "Resumed": _resume,
    "Paused": _pause,
    "Resolved": _end,
    "Abandoned": _end,
}


def _queue(place: _Data, was: Standing) -> str:
    said = place.get("queue")
    return said if isinstance(said, str) else was.queue


def _tier(place: _Data, was: Standing) -> int:
    return whole(place, "tier") or was.tier


def text(data: _Data, member: str) -> str | None:
    """`data[member]` where it is text; a foreign record may hold anything there, or nothing."""
    said = data.get(member)
    return said if isinstance(said, str) else None


def whole(data: _Data, member: str) -> int | None:
    """`data[member]` where it is a whole number from 1 to 2^31 - 1, likewise."""
    said = data.get(member)
    return said if type(said) is int and 0 < said < _BEYOND else None
