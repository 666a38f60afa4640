"""The operations on requests for the OpenAPI document, with examples: the framework does not see plain routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from chassis.web import document
from events.contacts.routing import Decision
from events.lifecycle import State
from router.api.bodies import ORDERS
from router.api.requests import REQUEST

REQUEST_ID: Final = "019f3c6e-5a00-7c11-8000-4a5b6c7d8e9f"
EVENT_ID: Final = "019f3c6e-5a00-7c11-8000-4a5b6c7d8ea0"


class Done(BaseModel):
    """An order that was carried out, now or before."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    request_id: str
    state: State
    version: int
    """Counts the router's events on the request."""
    event_id: str
    """The event that the order came to; that of the first time where it is a repeat."""


class RequestView(BaseModel):
    """A request as it stands."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    request_id: str
    state: State
    leg: int
    tier: int
    queue: str
    agent_id: str | None
    """Whom it is offered to, or who is connected or has paused it."""
    version: int
    cycle: int
    channel: str
    skills: list[str]
    wanted_agent: str | None
    """The one agent whom it waits for, after a transfer to him."""
    decision: Decision | None
    """Why it was offered to whom it was offered last; null before the first offer."""


_EXAMPLES: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = {
    "accept": ("Take the request that you are offered", "connected", {"agent_id": "ada"}),
    "decline": ("Refuse it: it goes to another agent who fits", "waiting", {"agent_id": "ada", "reason": "at lunch"}),
    "pause": ("Let the work rest", "paused", {"agent_id": "ada", "reason": "hold"}),
    "resume": ("Go on with it", "connected", {"agent_id": "ada"}),
    "resolve": (
        "Say that it is dealt with",
        "resolved",
        {"agent_id": "ada", "code": "refunded", "summary": "Charged twice, paid back.", "articles": ["refunds"]},
    ),
    "transfer": (
        "Hand it on to an agent, a queue, other skills or another tier",
        "waiting",
        {"agent_id": "ada", "to": {"queue": "cards"}, "note": "The card is blocked."},
    ),
    "abandon": ("Say that the customer has given up", "abandoned", {"reason": "hung up"}),
    "reopen": ("Take a closed request up again", "waiting", {"reason": "it came back"}),
}
_VIEW: Final[Mapping[str, Any]] = {
    "request_id": REQUEST_ID,
    "state": "offered",
    "leg": 1,
    "tier": 1,
    "queue": "default",
    "agent_id": "ada",
    "version": 1,
    "cycle": 1,
    "channel": "voice",
    "skills": ["billing"],
    "wanted_agent": None,
    "decision": {
        "decided_at": "2026-11-22T05:55:51.000001Z",
        "policy_version": 1,
        "candidates": [{"agent_id": "ada", "score": 12.5}],
        "excluded": [{"agent_id": "bob", "reason": "skills"}],
    },
}
_NOT_DONE: Final = {
    "404": "The router knows no such request; imported ones take no orders",
    "409": "Not possible in the present state, or not this agent's: `state` and `holder` say how it stands. Or the "
    "first use of the key is being worked on (`in-flight`)",
    "413": "The body is too large",
    "429": "Too much is under way; nothing was done and the key is not remembered",
}


def add(app: FastAPI) -> None:
    """Documents the orders and the look."""
    for verb, model in ORDERS.items():
        document(app, f"{REQUEST}/{verb}", "post", _order(verb, model), [model, Done])
    document(app, REQUEST, "get", _look(), [RequestView])


def _order(verb: str, model: type[BaseModel]) -> dict[str, Any]:
    summary, state, example = _EXAMPLES[verb]
    done = {"request_id": REQUEST_ID, "state": state, "version": 2, "event_id": EVENT_ID}
    sent = {"schema": _ref(model.__name__), "examples": {"usual": {"value": example}}}
    return {
        "summary": summary,
        "parameters": [_ID, _KEY],
        "requestBody": {"required": True, "content": {"application/json": sent}},
        "responses": {"200": _json("Done, now or before", "Done", done), **_problems("404", "409", "413", "429")},
    }


def _look() -> dict[str, Any]:
    return {
        "summary": "Look at a request",
        "parameters": [_ID],
        "responses": {"200": _json("As it stands", "RequestView", _VIEW), **_problems("404")},
    }


def _json(description: str, model: str, example: Mapping[str, Any]) -> dict[str, Any]:
    content = {"schema": _ref(model), "examples": {"usual": {"value": example}}}
    return {"description": description, "content": {"application/json": content}}


def _problems(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {status: {"description": _NOT_DONE[status], "content": content} for status in statuses}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


_ID: Final = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and members again give the first answer again, whatever has happened since",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
