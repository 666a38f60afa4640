"""The orders that intake takes, as values: what was sent, and the ids and hashes that were given to it at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from intake.domain.keys import Use

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receive:
    """Take in a contact. `request_id` is the one that it gets if it starts a request of its own."""

    event_id: str
    request_id: str
    sent: Members
    customer_id: str | None
    identifiers: tuple[UUID, ...]
    thread: UUID | None = None
    continues: str | None = None
    use: Use | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class AddMessage:
    """Add a follow-up to a request."""

    event_id: str
    request_id: str
    sent: Members
    use: Use | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    """Add the customer's feedback to a request."""

    event_id: str
    request_id: str
    sent: Members
    use: Use | None = None
    traceparent: str | None = None


Command = Receive | AddMessage | GiveFeedback
