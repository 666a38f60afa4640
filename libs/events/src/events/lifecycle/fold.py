"""The fold: a request's events, in any order, to its life."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from events.lifecycle.entry import Entry
from events.lifecycle.evolve import evolve
from events.lifecycle.gaps import missing
from events.lifecycle.identity import residual_us
from events.lifecycle.life import Cycle, Leg, Life, Segment
from events.lifecycle.metrics import HANDLED, HEADLINES, METRICS, SET_ASIDE
from events.lifecycle.order import Placed, effective
from events.lifecycle.table import ENDS, TAKEN_UP_BY, State


def fold(entries: Iterable[Entry]) -> Life:
    """Folds the known events of one request. The same set of events gives the same life, in whatever order it comes.

    `entries` come in the order of the log where that is known, since the first of several with one `event_id` counts.
    Never raises on the content of an event.
    """
    life = Life(effective(entries))
    for placed in life.events:
        _step(life, placed)
    _take_up(life)
    life.counts.agents = len(life.agents)
    life.missing = missing([placed.entry for placed in life.events])
    life.tags = _tags(life)
    life.residual_us = residual_us(life)
    life.durations = tuple([metric.of(life) for metric in HEADLINES])
    life.metrics = tuple([metric.of(life) for metric in METRICS])
    return life


def _step(life: Life, placed: Placed) -> None:
    before = life.standing
    after = evolve(before, placed.entry)
    if after is before:
        return
    state, leg, cycle, queue, tier, _, _ = after
    at_us, type_ = placed.effective_us, placed.entry.type
    life.standing = after
    life.moved_us = at_us
    life.applied.add(placed.event_id)
    if life.segments:
        _close_segment(life, at_us)
    another = leg != before.leg
    if life.legs and (another or state in ENDS):
        _close_leg(life.legs[-1], placed)
    if another:
        life.legs.append(Leg(leg, cycle, queue, tier, at_us, type_))
    if cycle != before.cycle:
        life.cycles.append(Cycle(cycle, at_us))
    life.segments.append(Segment(after, at_us))
    note = _NOTES.get(type_)
    if note is not None:
        note(life, placed)


def _close_segment(life: Life, at_us: int) -> None:
    segment = life.segments[-1]
    segment.end_us = at_us
    us = at_us - segment.start_us
    kind = (segment.standing.state, segment.standing.reason)
    life.closed[kind] = life.closed.get(kind, 0) + us
    if kind in HANDLED:
        leg = life.legs[-1]
        leg.handle_us = (leg.handle_us or 0) + us


def _close_leg(leg: Leg, placed: Placed) -> None:
    if leg.closed_us is None:
        leg.closed_us = placed.effective_us
        leg.closed_by = placed.entry.type


def _received(life: Life, placed: Placed) -> None:
    life.received = placed.entry
    life.received_us = placed.effective_us


def _routed(life: Life, placed: Placed) -> None:
    leg = _assigned(life)
    leg.routed_us = placed.effective_us
    life.counts.offers += 1
    if leg.cycle == 1 and life.connected_us is None and life.routed_us is None:
        life.routed_us = placed.effective_us


def _connected(life: Life, placed: Placed) -> None:
    leg = _assigned(life)
    leg.connected_us = placed.effective_us
    if leg.agent_id is not None:
        life.agents.add(leg.agent_id)
    if leg.cycle == 1 and life.connected_us is None:
        life.connected_us = placed.effective_us
        life.first_connected = leg
        life.queue_wait_us = life.closed.get((State.WAITING, None), 0)
        life.offer_us = life.closed.get((State.OFFERED, None), 0)


def _assigned(life: Life) -> Leg:
    """The present leg, told whom and where the event that has just been applied assigned it to."""
    leg = life.legs[-1]
    leg.agent_id, leg.queue, leg.tier = life.standing.agent_id, life.standing.queue, life.standing.tier
    return leg


def _offer_closed(life: Life, placed: Placed) -> None:
    reason = placed.entry.data.get("reason")
    life.counts.declines += reason == "declined"
    life.counts.expiries += reason == "expired"


def _transferred(life: Life, _: Placed) -> None:
    life.counts.transfers += 1


def _reopened(life: Life, _: Placed) -> None:
    life.counts.reopens += 1


def _resolved(life: Life, placed: Placed) -> None:
    at_us = placed.effective_us
    cycle = life.cycles[-1]
    cycle.resolved_us = at_us
    if cycle.number == 1:
        life.resolved_us = at_us
    if life.first_resolved_us is None:
        life.first_resolved_us = at_us
    life.last_resolved_us = at_us
    life.set_aside_us = sum([life.closed.get(kind, 0) for kind in SET_ASIDE])


def _abandoned(life: Life, placed: Placed) -> None:
    cycle = life.cycles[-1]
    cycle.abandoned_us = placed.effective_us
    if cycle.number == 1:
        life.abandoned_us = placed.effective_us


_NOTES: Final[Mapping[str, Callable[[Life, Placed], None]]] = {
    "ContactReceived": _received,
    "Reopened": _reopened,
    "Transferred": _transferred,
    "OfferClosed": _offer_closed,
    "Routed": _routed,
    "Connected": _connected,
    "Resolved": _resolved,
    "Abandoned": _abandoned,
}


def _take_up(life: Life) -> None:
    """Marks as applied the decisions that an applied move names directly as its cause, wherever the two stand."""
    named = {
        (placed.entry.causation_id, TAKEN_UP_BY[placed.entry.type])
        for placed in life.events
        if placed.entry.type in TAKEN_UP_BY and placed.event_id in life.applied
    }
    if not named:
        return
    for placed in life.events:
        if (placed.event_id, placed.entry.type) in named:
            life.applied.add(placed.event_id)
            life.counts.escalations += 1


def _tags(life: Life) -> list[str]:
    """What a reader should know before he compares this life with others, sorted."""
    tags = []
    if any(placed.effective_us > placed.entry.occurred_us for placed in life.events):
        tags.append("clamped")
    if life.connected_us is not None and life.routed_us is None:
        tags.append("connected_without_routed")
    if life.resolved_us is not None and life.connected_us is None:
        tags.append("resolved_without_connected")
    return tags
