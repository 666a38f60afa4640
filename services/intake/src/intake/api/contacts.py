"""`POST /v1/contacts`: the one hot route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chassis.commands import key_of, members_of, validated
from chassis.errors import Invalid
from chassis.ids import new_id
from chassis.trace import current_traceparent
from chassis.web import authorise, body_of, refuse_query
from events.contacts.contact import Contact
from intake.api.reading import SCOPE, use_of
from intake.api.writing import accepted
from intake.app.desk import Desk
from intake.domain.commands import Receive
from intake.domain.identifiers import identifiers_of, thread_of

CONTACTS = "/v1/contacts"
KEYS_OF_CONTACTS = f"POST {CONTACTS}"
LONGEST_QUEUE = 200
"""Characters in the name of a queue: what waits is found by an index, and its rows have room for so much."""


def contact_of(desk: Desk, timelines: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint."""

    async def contact(request: Request) -> Response:
        authorise(request, SCOPE)
        refuse_query(request)
        key = key_of(request)
        raw = await body_of(request)
        command = received(members_of(raw), len(raw), KEYS_OF_CONTACTS, key)
        return accepted(await desk.take(command), timelines)

    return contact


def received(members: dict[str, Any], size: int, scope: str, key: str | None) -> Receive:
    """The command that a contact's members, of `size` bytes, are; raises Invalid naming the fields that are wrong."""
    contact = validated(Contact, members)
    if contact.queue is not None and len(contact.queue) > LONGEST_QUEUE:
        raise Invalid([{"field": "queue", "reason": f"must have at most {LONGEST_QUEUE} characters"}])
    return Receive(
        event_id=new_id(),
        request_id=new_id(),
        sent=members,
        size=size,
        use=use_of(scope, key, members),
        traceparent=current_traceparent(),
        customer_id=contact.customer.id or None,
        identifiers=identifiers_of(members["customer"]),
        thread=thread_of(contact.channel, contact.thread) if contact.thread else None,
        continues=contact.continues,
    )
