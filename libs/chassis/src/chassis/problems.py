"""Refusals as RFC 9457 problem objects: the one table of code, status and title."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response

from chassis.errors import Invalid, Refused

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One problem type of the contract: its HTTP status and the title that never changes."""

    status: int
    title: str


TABLE: Final[Mapping[str, Kind]] = {
    "validation": Kind(422, "The request does not hold what it must"),
    "key-reused": Kind(422, "The idempotency key stands for another request"),
    "in-flight": Kind(409, "A request with this key is being worked on"),
    "conflict": Kind(409, "Not possible in the present state"),
    "not-found": Kind(404, "There is no such thing"),
    "method-not-allowed": Kind(405, "This path does not take this method"),
    "too-large": Kind(413, "The body is too large"),
    "unauthorized": Kind(401, "A valid bearer token is needed"),
    "forbidden": Kind(403, "The token does not allow this"),
    "precondition-failed": Kind(412, "The thing has changed meanwhile"),
    "overloaded": Kind(429, "Too much is waiting"),
    "unavailable": Kind(503, "Not possible right now"),
}


def to_object(refused: Refused) -> dict[str, Any]:
    """The problem object of a refusal, as it goes into a body (or into one line of a batch's answer)."""
    kind = TABLE[refused.code]
    return {
        "type": f"/problems/{refused.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": refused.detail,
        **refused.extra,
    }


def problem(refused: Refused) -> Response:
    """The HTTP answer of a refusal, with `Retry-After` and `WWW-Authenticate` where they belong."""
    kind = TABLE[refused.code]
    return Response(orjson.dumps(to_object(refused)), kind.status, _headers(refused), MEDIA_TYPE)


def from_pydantic(error: ValidationError, *, under: str = "") -> Invalid:
    """One `{field, reason}` for each thing that pydantic found; `under` is put before each path."""
    return from_details(error.errors(include_url=False, include_context=False, include_input=False), under=under)


def from_details(details: Iterable[ErrorDetails], *, under: str = "", skip: int = 0) -> Invalid:
    """As `from_pydantic`, of error details; `skip` leaves out leading parts of each path."""
    return Invalid([{"field": _path(found["loc"][skip:], under), "reason": found["msg"]} for found in details])


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
