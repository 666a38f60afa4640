"""Search, and what it did not find."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.errors import Invalid
from chassis.paging import encode_cursor
from chassis.web import requires, router
from kb_search.api.answers import json
from kb_search.api.models import FoundPage, GapPage
from kb_search.api.reading import LIMIT, READ, Cursor, Limit, place_of
from kb_search.app.desk import Desk
from kb_search.app.rendering import found_object
from kb_search.app.searching import MOST, Question, Searching
from kb_search.domain.content import About
from kb_search.domain.gaps import Source

Asked = Annotated[str, Query(min_length=1, max_length=1_000, description="Words; any of them may be found")]
Matter = Annotated[str | None, Query(max_length=200)]


def routes(searching: Searching, desk: Desk) -> APIRouter:
    """`/v1/search` and `/v1/gaps`."""
    search = router(tags=["search"], dependencies=[requires(READ)])

    @search.get("/v1/search", response_model=FoundPage)
    async def find(
        q: Asked,
        product: Matter = None,
        version: Matter = None,
        os: Matter = None,
        language: Matter = None,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
    ) -> Response:
        """Articles with any of the words, the best first. What is for another product, version or os is left out, and
        with `language` what is in another one."""
        offset = _offset(cursor)
        question = Question(q, About(product or None, version or None, os or None), language or None)
        found, more = searching.search(question, offset=offset, limit=limit)
        following = encode_cursor([offset + limit]) if more else None
        return json({"items": [found_object(each) for each in found], "next_cursor": following})

    @search.get("/v1/gaps", response_model=GapPage)
    async def gaps(source: Source | None = None, cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """What was asked and not found, the most asked first: searches by their words, contacts by index terms."""
        return json(await desk.gaps(source, after=place_of(cursor, int, str, str), limit=limit))

    return search


def _offset(cursor: str | None) -> int:
    place = place_of(cursor, int)
    offset = int(place[0] or 0) if place else 0
    if offset >= MOST:
        raise Invalid([{"field": "cursor", "reason": f"goes beyond the {MOST} best: ask for something narrower"}])
    return offset
