"""Parameters of paths, queries and headers, and the scopes that a token needs."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Query
from pydantic import BeforeValidator, WithJsonSchema
from starlette.requests import Request

from chassis.commands import KEY, Use, use_of
from chassis.errors import Invalid
from chassis.paging import DEFAULT_LIMIT, MOST, Position, decode_cursor, limit_of
from kb_search.domain.articles import Condition

READ: Final = "knowledge:read"
WRITE: Final = "knowledge:write"

_TAG: Final = re.compile(r'(?:W/)?"?([^",\s]*)"?')
_MOST_NUMBER: Final = 2**31


def _limit(given: Any) -> int:
    return given if isinstance(given, int) else limit_of(given)


ArticleId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["reset-password"])]
RequestIdOfPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["call-117"])]
AgentId = Annotated[str, Path(min_length=1, max_length=200, examples=["a-1"])]
Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST}), Query()
]
LIMIT: Final = DEFAULT_LIMIT
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
_Key = Annotated[str | None, Header(alias=KEY, description="The same key and body again get the first answer")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="Only if this is its ETag: another is refused with 412")
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="`*` writes an article only where there is none")
]


def condition_of(if_match: str | None, if_none_match: str | None = None) -> Condition:
    """The condition that a writer's headers state (RFC 9110, 13.1). Raises Invalid."""
    if if_none_match is not None and if_none_match.strip() != "*":
        raise Invalid([{"field": "If-None-Match", "reason": "must be * in a PUT"}])
    absent = if_none_match is not None
    if if_match is None:
        return Condition(absent=absent)
    if if_match.strip() == "*":
        return Condition(present=True, absent=absent)
    return Condition(revisions=frozenset(_revisions(if_match)), absent=absent)


def names(if_none_match: str | None, revision: int) -> bool:
    """Whether a reader has this revision already."""
    return if_none_match is not None and (if_none_match.strip() == "*" or revision in _revisions(if_none_match))


def etag(revision: int) -> str:
    """The ETag of a revision."""
    return f'"{revision}"'


def place_of(cursor: str | None, *kinds: type) -> list[Position] | None:
    """Where a page goes on. Raises Invalid, also for what no row can hold."""
    place = decode_cursor(cursor, *kinds)
    for part in place or ():
        if (isinstance(part, str) and "\0" in part) or (isinstance(part, int) and not 0 <= part < _MOST_NUMBER):
            raise Invalid([{"field": "cursor", "reason": "is not a cursor of this list; take one from next_cursor"}])
    return place


async def _use(request: Request, _key: _Key = None) -> Use | None:
    """The key is read as all services do; as a parameter it stands in the document. Raises Invalid."""
    members = await request.json() if await request.body() else {}
    return use_of(request, members if isinstance(members, dict) else {})


Once = Annotated[Use | None, Depends(_use)]
"""The use of an idempotency key, None without one."""


def _revisions(tags: str) -> set[int]:
    found = (matched[1] for each in tags.split(",") if (matched := _TAG.fullmatch(each.strip())))
    return {int(tag) for tag in found if tag.isascii() and tag.isdigit() and len(tag) < 10}
