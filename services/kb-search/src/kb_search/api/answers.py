"""How answers and refusals look on the wire and in the document."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from kb_search.app.rendering import Json

_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_TOLD: Final = {
    404: "There is no such thing",
    409: "Not possible at this moment; for a key that is being worked on: send it again",
    412: "The article has another revision than the writer believes",
    413: "The body is too large",
}


def json(body: bytes | Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(raw, status, dict(headers or {}), "application/json")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route beside those that all have."""
    return {status: {"description": _TOLD[status], "content": _PROBLEM} for status in statuses}
