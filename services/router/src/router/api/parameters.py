"""Parameters of paths and queries: their types, and how the OpenAPI document shows them."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from chassis.auth import Principal
from chassis.paging import DEFAULT_LIMIT, MOST, limit_of
from chassis.web import requires
from events.base import Text

ROUTING_READ: Final = "routing:read"
ROUTING_ACT: Final = "routing:act"
ROUTING_ADMIN: Final = "routing:admin"

LONGEST_NAME: Final = 200
"""Characters of an agent's id and of the name of a queue or skill."""


def problems(**descriptions: str) -> dict[int | str, dict[str, Any]]:
    """Refusals for a route's `responses`, such as `problems(s404="there is no such agent")`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status[1:]): {"description": text, "content": content} for status, text in descriptions.items()}


def _limit(given: Any) -> int:
    return given if isinstance(given, int) else limit_of(given)


def _plain(name: str) -> str:
    """The path's parser splits at slashes before anybody sees them."""
    if "/" in name:
        raise ValueError("must not contain a slash")
    return name


Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST}), Query()
]
LIMIT: Final = DEFAULT_LIMIT
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Actor = Annotated[Principal, requires(ROUTING_ACT)]
Admin = Annotated[Principal, requires(ROUTING_ADMIN)]
"""Whose token it is: events say by whom things were written and set."""

AgentId = Annotated[Text, AfterValidator(_plain), Path(min_length=1, max_length=LONGEST_NAME)]
Queue = Annotated[Text, Path(min_length=1, max_length=LONGEST_NAME)]
