"""A few contacts that come in live over the API, with what their customers add later."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from throughline.client import Client

CONTACTS: tuple[dict[str, Any], ...] = (
    {
        "channel": "chat",
        "customer": {"id": "c-90001", "name": "Nuria Holm", "email": "nuria.holm@example.org"},
        "subject": "Card not arrived",
        "body": "The new card was to be here on Tuesday. Where is it?",
        "queue": "accounts",
        "skills": ["payments"],
        "severity": 2,
    },
    {
        "channel": "email",
        "customer": {"email": "ossian.berg@example.org"},
        "subject": "Invoice for the safe",
        "body": "I gave the safe back in March and have been sent an invoice for June.",
        "queue": "accounts",
    },
    {
        "channel": "voice",
        "customer": {"phone": "+447700900321"},
        "queue": "securities",
        "skills": ["trading"],
        "support_level": "preferred",
        "priority": 60,
    },
    {
        "channel": "web",
        "customer": {"handle": "pavel_k"},
        "subject": "Cannot sign a standing order",
        "body": "The page asks for a code and then shows an empty list.",
        "queue": "online-banking",
        "context": {"product": "web", "version": "26.4", "os": "linux"},
        "session": [{"at": "2026-11-20T10:00:00.000000Z", "action": "search", "detail": "standing order code"}],
    },
)


@dataclass(frozen=True, slots=True)
class Lived:
    """What was accepted: request ids in order, and every event id that intake gave out."""

    request_ids: tuple[str, ...]
    event_ids: tuple[str, ...]


def post_live(client: Client, run: str, told: Callable[[str], None]) -> Lived:
    """Posts the contacts, a retry of the first, a message and feedback. `run` names the idempotency keys."""
    taken = [
        client.post("intake", "/v1/contacts", contact, key=f"{run}-{number}") for number, contact in enumerate(CONTACTS)
    ]
    told(f"posted {len(taken)} contacts over the API, over {', '.join(each['channel'] for each in CONTACTS)}")
    first = taken[0]
    retry = client.post("intake", "/v1/contacts", CONTACTS[0], key=f"{run}-0")
    told(f"posted the first again under its key: the same request, duplicate {str(retry['duplicate']).lower()}")
    request = f"/v1/requests/{first['request_id']}"
    message = {"channel": "sms", "body": "It came just now, with the afternoon's post. Thank you!"}
    added = client.post("intake", f"{request}/messages", message, key=f"{run}-message")
    rated = client.post(
        "intake", f"{request}/feedback", {"score": 5, "text": "Asked and answered."}, key=f"{run}-score"
    )
    told("added a message over another channel, and the customer's score")
    accepted = [*taken, retry, added, rated]
    requests = dict.fromkeys(each["request_id"] for each in taken)
    return Lived(tuple(requests), tuple(dict.fromkeys(each["event_id"] for each in accepted)))


def new_run() -> str:
    """A name that no other run has."""
    return f"demo-{uuid.uuid4()}"
