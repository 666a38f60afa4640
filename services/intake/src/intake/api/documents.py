"""Intake's operations for the OpenAPI document, with examples: the framework does not see plain routes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from chassis.web import document
from events.contacts.contact import Contact, Feedback, Message
from intake.api.batches import BATCH, MOST_LINES
from intake.api.contacts import CONTACTS
from intake.api.follow_ups import FEEDBACK, MESSAGES
from intake.api.imports import IMPORTS
from intake.app.importing import MOST_LINES as MOST_IMPORT_LINES

REQUEST_ID = "019f3c6e-5a00-7c11-8000-4a5b6c7d8e9f"
EVENT_ID = "019f3c6e-5a00-7c11-8000-4a5b6c7d8ea0"
RECEIVED_AT = "2026-11-22T05:55:51.000001Z"
PROBLEM = {"$ref": "#/components/schemas/Problem"}


class Accepted(BaseModel):
    """A command that was carried out, now or earlier under the same key."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    request_id: str
    event_id: str
    received_at: str
    """The event's time, RFC 3339 UTC with six decimals."""
    duplicate: bool
    """Whether the same key had brought the same members before: this is the first answer again."""
    continued: bool = False
    """There, and true, where a contact joined a request that there was."""


class BatchLine(BaseModel):
    """What became of one line of a batch."""

    model_config = ConfigDict(extra="forbid")

    line: int
    status: int
    request_id: str | None
    event_id: str | None
    received_at: str | None
    duplicate: bool
    continued: bool = False
    error: dict[str, Any] | None


class ImportLine(BaseModel):
    """What became of one line of an import."""

    model_config = ConfigDict(extra="forbid")

    line: int
    status: str
    error: dict[str, Any] | None


ACCEPTED = {"request_id": REQUEST_ID, "event_id": EVENT_ID, "received_at": RECEIVED_AT, "duplicate": False}
CONTACT = {
    "channel": "email",
    "customer": {"id": "c-42", "name": "Ada Beispiel", "email": "ada@example.com"},
    "subject": "My invoice",
    "body": "I was charged twice in October.",
    "language": "en",
    "queue": "billing",
    "skills": ["invoices"],
    "severity": 3,
    "priority": 0,
    "attributes": {"campaign": "autumn"},
}
BATCH_EXAMPLE = (
    '{"channel":"chat","customer":{"id":"c-1"},"body":"hello","idempotency_key":"chat-1"}\n'
    '{"channel":"sms","customer":{"phone":"+49 30 1234567"},"body":"call me"}\n'
)
IMPORT_EXAMPLE = (
    '{"type":"ContactReceived","request_id":"call-1","occurred_at":"2026-10-01T08:00:00.000000Z",'
    '"data":{"channel":"voice","customer":{"id":"c-1"}}}\n'
    '{"type":"Connected","request_id":"call-1","occurred_at":"2026-10-01T08:00:12.500000Z","data":{"agent_id":"a-7"}}\n'
)
NOT_DONE = {
    "404": "There is no such request that was received here",
    "409": "The first use of this key is being worked on: send it again in a moment",
    "413": "The body is too large; nothing was taken",
    "429": "Too much is waiting; nothing was done and the key is not remembered",
}


def add(app: FastAPI) -> None:
    """Documents every route of intake."""
    document(app, CONTACTS, "post", _command("Take a contact in", "Contact", CONTACT), [Contact, Accepted])
    said = {"channel": "sms", "body": "It happened again."}
    document(app, MESSAGES, "post", _follow_up("Add a follow-up to a request", "Message", said), [Message])
    liked = {"score": 5, "text": "Quick and kind."}
    document(app, FEEDBACK, "post", _follow_up("Add feedback to a request", "Feedback", liked), [Feedback])
    many = f"Take up to {MOST_LINES} contacts in, each settled by itself; a line may carry its `idempotency_key`"
    document(app, BATCH, "post", _lines(many, BATCH_EXAMPLE, "BatchLine"), [BatchLine])
    past = f"Take up to {MOST_IMPORT_LINES} past events in; each line is accepted, a duplicate or rejected"
    document(app, IMPORTS, "post", _lines(past, IMPORT_EXAMPLE, "ImportLine"), [ImportLine])


def _command(summary: str, model: str, example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    accepted = {"schema": {"$ref": "#/components/schemas/Accepted"}, "examples": {"first": {"value": ACCEPTED}}}
    headers = {"Location": {"description": "The request's timeline", "schema": {"type": "string"}}}
    return {
        "summary": summary,
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "examples": {"usual": {"value": example}}}},
        },
        "responses": {
            "202": {"description": "Committed", "headers": headers, "content": {"application/json": accepted}},
            **_problems("404", "409", "413", "429"),
        },
    }


def _follow_up(summary: str, model: str, example: dict[str, Any]) -> dict[str, Any]:
    path = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = _command(summary, model, example)
    return operation | {"parameters": [path, *operation["parameters"]]}


def _lines(summary: str, example: str, model: str) -> dict[str, Any]:
    sent = {"schema": {"type": "string"}, "examples": {"usual": {"value": example}}}
    answered = {"schema": {"type": "string", "description": f"One {model} a line, in the order of the lines sent"}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/x-ndjson": sent}},
        "responses": {
            "200": {"description": f"One {model} a line", "content": {"application/x-ndjson": answered}},
            **_problems("413", "429"),
        },
    }


def _problems(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": PROBLEM}}
    return {status: {"description": NOT_DONE[status], "content": content} for status in statuses}


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and members again give the first answer again, for seven days and more",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
