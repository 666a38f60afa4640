"""What others' events on a request come to: its beginning, an escalation, a follow-up after its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from events.codec import SEALED
from events.contacts import Reopened
from events.envelope import Envelope
from events.key_ids import of_customer
from events.lifecycle import UNKNOWN, evolve
from events.lifecycle.evolve import text, whole
from events.lifecycle.table import ENDS
from router.domain.moves import Move, Said, Step, move, place, requeued, waiting_for_anybody
from router.domain.request import Request

INTAKE: Final = "/services/intake"
ESCALATION: Final = "/services/escalation"

_LOG_STEP_US: Final = 1_000


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up message, by its own time and by the log's, which has whole milliseconds: both in µs since 1970."""

    event_id: str
    occurred_us: int
    logged_us: int


def begun(envelope: Envelope, data: Mapping[str, Any]) -> Request:
    """The request that a ContactReceived begins; `data` as decoded, its personal members still sealed."""
    customer_id = text(data, "customer_id") or ""
    severity, priority = whole(data, "severity"), whole(data, "priority")
    return Request(
        request_id=envelope.subject,
        standing=evolve(UNKNOWN, Said(envelope.type, data)),
        channel=data["channel"],
        customer_id=customer_id,
        key_id=_key_of(data) or of_customer(customer_id),
        received_us=envelope.occurred_us,
        last_us=envelope.occurred_us,
        priority=0 if priority is None else priority,
        severity=3 if severity is None else severity,
        support_level=text(data, "support_level") or "standard",
        language=text(data, "language"),
        skills=tuple(data.get("skills") or ()),
        moved_by=envelope.event_id,
    )


def classified(request: Request, tier: int, *, policy_version: int, event_id: str, clock_us: int) -> Move | None:
    """A new request begins at this tier, as the policy says; None where it stands there already."""
    if tier == request.standing.tier:
        return None
    cause = request.moved_by
    return requeued(
        request, "classified", tier=tier, cause=cause, event_id=event_id, clock_us=clock_us,
        policy_version=policy_version,
    )  # fmt: skip


def escalated(
    request: Request, envelope: Envelope, data: Mapping[str, Any], *, event_id: str, clock_us: int
) -> Move | None:
    """What an Escalated comes to: nothing where its cycle is over, or the request closed or as high already."""
    standing, to_tier = request.standing, whole(data, "to_tier")
    if standing.state in ENDS or to_tier is None or to_tier <= standing.tier or whole(data, "cycle") != standing.cycle:
        return None
    floor_us, cause = envelope.occurred_us + 1, envelope.event_id
    return requeued(
        request, "escalated", tier=to_tier, cause=cause, event_id=event_id, clock_us=clock_us, floor_us=floor_us
    )


def followed_up(request: Request, message: FollowUp, *, event_id: str, clock_us: int) -> Move | None:
    """What a follow-up comes to: a closed request is reopened, unless the message was there before it was closed.

    What stands in the log behind the closing came after it. What does not, because the closing is not there yet, is
    taken for older only where its own time and the log's both say so: one wrong clock must not swallow a customer's
    message, and a needless reopening costs an agent a glance.
    """
    if request.standing.state not in ENDS or _came_before(request, message):
        return None
    fact = Reopened(**place(request), message_event_id=message.event_id)
    step = Step(fact, event_id, message.event_id)
    return move(request, waiting_for_anybody(request), step, clock_us=clock_us, floor_us=message.occurred_us + 1)


def heard(request: Request, occurred_us: int) -> Request:
    """The request, knowing of an event at that time."""
    return replace(request, last_us=max(request.last_us, occurred_us))


def _came_before(request: Request, message: FollowUp) -> bool:
    if request.closing_logged or request.closed_us is None:
        return False
    return message.occurred_us < request.closed_us and message.logged_us + _LOG_STEP_US <= request.closed_us


def _key_of(data: Mapping[str, Any]) -> str | None:
    """Under whose key intake sealed the contact: an erased customer's later contacts have their request's."""
    sealed = data.get(SEALED)
    return text(sealed, "key_id") if isinstance(sealed, Mapping) else None
