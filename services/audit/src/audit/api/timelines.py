"""`GET /v1/requests/{id}/timeline`: asked thousands of times in a row, so it stands on ASGI itself."""

from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from audit.api.models import TimelineObject
from audit.api.parameters import moment_of
from audit.api.scopes import AUDIT_READ, PERSONAL_READ
from audit.app.answers import Answers
from chassis import web

_JSON: Final = (b"content-type", b"application/json")
_PATH: Final = "/v1/requests/{request_id}/timeline"
_OPERATION: Final[dict[str, Any]] = {
    "summary": "A request's whole life, exactly",
    "description": "Folded from the records of the log. With `as_of` as it was known then; the same knowledge gives the"
    " same bytes. 404 where nothing was known.",
    "tags": ["timelines"],
    "parameters": [
        {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "call-117"},
        {
            "name": "as_of",
            "in": "query",
            "description": "What the log held at this time",
            "schema": {"type": "string", "format": "date-time"},
            "example": "2026-11-22T05:55:51.000001Z",
        },
    ],
    "responses": {
        "200": {
            "description": "The timeline",
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/TimelineObject"},
                }
            },
        },
        "404": {
            "description": "Nothing is known of it, or was at that time",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    },
}


def routes(answers: Answers) -> list[Route]:
    """The route itself."""
    return [Route(_PATH, Timeline(answers), methods=["GET"])]


class Timeline:
    """An ASGI endpoint: a request object, a response object and their wrappers cost as much as half a fold."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answers one request; refusals are raised for the layers around to write."""
        connection = HTTPConnection(scope)
        reader = web.authorise(connection, AUDIT_READ)
        web.refuse_query(connection, ("as_of",))
        body = await self._answers.timeline(
            scope["path_params"]["request_id"],
            as_of_us=moment_of(connection, "as_of"),
            personal=reader.may(PERSONAL_READ),
        )
        headers = [_JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def document(app: FastAPI) -> None:
    """Puts the route into the OpenAPI document."""
    web.document(app, _PATH, "get", _OPERATION, [TimelineObject])
