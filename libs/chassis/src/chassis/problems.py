"""Refusals as RFC 9457 problem objects: the one table from code to status."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response

from chassis.errors import Invalid, Refused

MEDIA_TYPE: Final = "application/problem+json"


# The contract's list; the title of each is on its class in `errors`.
STATUS: Final[Mapping[str, int]] = {
    "validation": 422,
    "key-reused": 422,
    "in-flight": 409,
    "conflict": 409,
    "not-found": 404,
    "too-large": 413,
    "unauthorized": 401,
    "forbidden": 403,
    "precondition-failed": 412,
    "overloaded": 429,
    "unavailable": 503,
}


def to_object(refused: Refused, *, status: int | None = None) -> dict[str, Any]:
    """The problem object of a refusal, as it goes into a body (or into one line of a batch's answer)."""
    return {
        "type": f"/problems/{refused.code}",
        "title": refused.title,
        "status": status or STATUS[refused.code],
        "detail": refused.detail,
        **refused.extra,
    }


def problem(refused: Refused, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP answer of a refusal, with `Retry-After` and `WWW-Authenticate` where they belong.

    `status` is given where HTTP has one of its own for a refusal of the contract's list (405, 408).
    """
    body = orjson.dumps(to_object(refused, status=status))
    return Response(body, status or STATUS[refused.code], {**_headers(refused), **(headers or {})}, MEDIA_TYPE)


def from_pydantic(error: ValidationError, *, under: str = "") -> Invalid:
    """One `{field, reason}` for each thing that pydantic found; `under` is put before each path."""
    return from_details(error.errors(include_url=False, include_context=False, include_input=False), under=under)


def from_details(details: Iterable[ErrorDetails], *, under: str = "", skip: int = 0) -> Invalid:
    """As `from_pydantic`, of error details; `skip` leaves out leading parts of each path."""
    return Invalid([{"field": _path(found["loc"][skip:], under), "reason": _reason(found)} for found in details])


def _reason(found: ErrorDetails) -> str:
    """What our own validators raise, without pydantic's words before it."""
    return found["msg"].removeprefix("Value error, ") if found["type"] == "value_error" else found["msg"]


def _path(location: tuple[int | str, ...], under: str) -> str:
    return ".".join(part for part in (under, *map(str, location)) if part)


def _headers(refused: Refused) -> dict[str, str]:
    headers: dict[str, str] = {}
    retry_after_s = getattr(refused, "retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(retry_after_s)))
    if refused.code == "unauthorized":
        headers["www-authenticate"] = "Bearer"
    return headers
