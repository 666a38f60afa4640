"""Events as they go into the store: sealed, under their stream."""

from __future__ import annotations

from chassis.sealing import AesSealer
from chassis.store import NewEvent
from events import key_ids
from events.catalogue import CATALOGUE
from events.codec import encode_data
from events.personal import plan_of, split
from intake.domain import streams
from intake.domain.commands import Command
from intake.domain.decide import Joined, Started
from intake.domain.lines import Line


def of_command(command: Command, decision: Started | Joined, now_us: int, key_id: str, sealer: AesSealer) -> NewEvent:
    """The event that a decision on a live command states, at `now_us` (µs since 1970) by intake's clock."""
    kind = "ContactReceived" if isinstance(decision, Started) else decision.type
    data = {**command.sent, "customer_id": decision.customer_id}
    return NewEvent(
        event_id=command.event_id,
        type=kind,
        payload=encode_data(kind, data, event_id=command.event_id, key_id=key_id, sealer=sealer),
        occurred_us=now_us,
        source=streams.SOURCE,
        topic=streams.TOPIC,
        key=decision.request_id,
        traceparent=command.traceparent,
    )


def of_line(line: Line, sealer: AesSealer) -> NewEvent:
    """The event that an import's line states, at its own time."""
    event_id, key_id = str(line.event_id), key_ids.of_request(line.request_id)
    return NewEvent(
        event_id=event_id,
        type=line.type,
        payload=encode_data(line.type, line.data, event_id=event_id, key_id=key_id, sealer=sealer),
        occurred_us=line.occurred_us,
        source=streams.IMPORTS,
        topic=streams.TOPIC,
        key=line.request_id,
        causation_id=line.causation_id,
    )


def is_personal(line: Line) -> bool:
    """Whether anything in a line must be sealed; most lines tell of agents alone and need no key."""
    _, personal = split(plan_of(CATALOGUE[line.type].model), line.data)
    return bool(personal)
