"""Query parameters: their types, what is said of wrong ones, and how the OpenAPI document shows them."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import HTTPConnection

from chassis.errors import Invalid
from chassis.paging import DEFAULT_LIMIT, MOST, limit_of
from events.lifecycle.report import GROUPINGS
from events.times import to_us

_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-22T05:55:51.000001Z"]}


def _moment(given: Any) -> int:
    return to_us(given)


def _limit(given: Any) -> int:
    return given if isinstance(given, int) else limit_of(given)


def _zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be a time zone of the IANA data base, such as Europe/Zurich") from error
    return given


def _groupings(given: str) -> str:
    names = given.split(",") if given else []
    if unknown := [name for name in names if name not in GROUPINGS]:
        raise ValueError(f"knows {', '.join(GROUPINGS)}; not {', '.join(map(repr, unknown))}")
    if len(set(names)) < len(names):
        raise ValueError("must name each grouping once")
    return given


Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema(_TIME)]
"""An RFC 3339 time as µs since 1970."""

Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST}), Query()
]
LIMIT = DEFAULT_LIMIT
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Zone = Annotated[str, AfterValidator(_zone), Query(description="IANA time zone; told again, the bounds are moments")]
GroupBy = Annotated[
    str,
    AfterValidator(_groupings),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(?:(?:{'|'.join(GROUPINGS)})(?:,(?!$)|$))*$", "examples": ["channel,tier"]}
    ),
    Query(description="With commas between"),
]


class AnyText(Convertor[str]):
    """A path parameter that may hold whatever an id may hold: slashes and line breaks too."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("text", AnyText())


def moment_of(request: HTTPConnection, name: str) -> int | None:
    """The time in a query parameter of a plain route, None without it. Raises Invalid."""
    if not request.scope["query_string"]:
        return None
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        return to_us(given)
    except ValueError as error:
        raise Invalid([{"field": name, "reason": str(error)}]) from error
