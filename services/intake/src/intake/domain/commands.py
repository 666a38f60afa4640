"""The orders that intake takes, as values: what was sent, and the ids and hashes that were given to it at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from intake.domain.keys import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all commands carry. `sent` are the members as they came, of `size` bytes; `event_id` is for its event."""

    event_id: str
    request_id: str
    sent: Mapping[str, Any]
    size: int
    use: Use | None = None
    traceparent: str | None = None

    @property
    def mark(self) -> tuple[str, str] | None:
        """The idempotency key in its scope, None without one."""
        return None if self.use is None else (self.use.scope, self.use.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive(Order):
    """Take in a contact. `request_id` is the one that it gets if it starts a request of its own."""

    customer_id: str | None
    identifiers: tuple[UUID, ...] = ()
    thread: UUID | None = None
    continues: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMessage(Order):
    """Add a follow-up to a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveFeedback(Order):
    """Add the customer's feedback to a request."""


Command = Receive | AddMessage | GiveFeedback
