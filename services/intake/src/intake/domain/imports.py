"""Which lines of an import are taken: pure decisions over what is known of their requests and ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from intake.domain.lines import Fault, Line


@dataclass(slots=True)
class Past:
    """What is known of a chunk's lines before it is taken.

    `live` are the ids of requests that were received live, `stated` those of events that were; `taken` maps the id of
    each imported event to the content that it stands for.
    """

    live: set[str] = field(default_factory=set)
    stated: set[UUID] = field(default_factory=set)
    taken: dict[UUID, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The line becomes an event now."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The line's event is there already: nothing changes."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The line leaves no trace, for this fault."""

    faults: tuple[Fault, ...]


Outcome = Accepted | Repeated | Rejected

LIVE_REQUEST = Rejected((Fault("request_id", "this request was received live; an import cannot add to it"),))
ERASED = Rejected((Fault("data", "the personal data of this request were erased for good"),))
OTHER_CONTENT = Rejected((Fault("event_id", "this id stands for an event of other content"),))


def decide(past: Past, line: Line) -> Outcome:
    """What becomes of a line, in the light of the past."""
    if line.request_id in past.live:
        return LIVE_REQUEST
    if line.event_id in past.stated:
        return OTHER_CONTENT
    content = past.taken.get(line.event_id)
    if content is None:
        return Accepted()
    return Repeated() if content == line.content else OTHER_CONTENT


def decide_all(past: Past, lines: Iterable[Line]) -> list[Outcome]:
    """The outcomes of a chunk's lines, each in the light of those before it. `past` is evolved in place."""
    outcomes = []
    for line in lines:
        outcome = decide(past, line)
        if isinstance(outcome, Accepted):
            past.taken[line.event_id] = line.content
        outcomes.append(outcome)
    return outcomes
