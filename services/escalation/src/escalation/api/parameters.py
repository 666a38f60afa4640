"""What the routes have in common: scopes, and the types of their parameters."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Header, Path, Query
from pydantic import BeforeValidator, WithJsonSchema
from starlette.responses import Response

from chassis.paging import MOST, limit_of
from chassis.problems import MEDIA_TYPE
from events.times import to_us

READ: Final = "escalation:read"
ACT: Final = "escalation:act"
ADMIN: Final = "escalation:admin"

_TIME: Final = {"type": "string", "format": "date-time", "examples": ["2026-11-22T05:55:51.000001Z"]}


def _moment(given: Any) -> int:
    return to_us(given)


def _limit(given: Any) -> int:
    return given if isinstance(given, int) else limit_of(given)


Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema(_TIME)]
"""An RFC 3339 time as µs since 1970."""

Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST}), Query()
]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
RuleName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,100}$", description="Of the policy or calendar")]
RuleVersion = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The newest where none is named")]
Key = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 255})] | None,
    Header(alias="Idempotency-Key", description="The caller's name for the order: a repeat gets the first answer"),
]
"""For the document alone: the key is read where it is used."""

_PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS: Final = {
    404: "There is no such thing, or nothing was heard of it yet",
    409: "The present state does not allow it, or the same key is being worked on",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals that a route has beside those of all."""
    return {status: {"description": _REFUSALS[status], "content": _PROBLEM} for status in statuses}


def json_of(body: bytes, status: int = 200) -> Response:
    """An answer that is JSON already."""
    return Response(body, status, media_type="application/json")
