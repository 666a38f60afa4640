"""Articles: written, retired, read, listed, rated."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.auth import Principal
from chassis.web import requires, router
from kb_search.api.answers import json, refusals
from kb_search.api.bodies import ArticleBody, RatingBody
from kb_search.api.models import ArticleObject, ArticlePage, RatingObject
from kb_search.api.reading import (
    LIMIT,
    READ,
    WRITE,
    ArticleId,
    Cursor,
    IfMatch,
    IfNoneMatch,
    Limit,
    Once,
    condition_of,
    etag,
    names,
    place_of,
)
from kb_search.app.library import Library
from kb_search.domain.articles import Put, Retire
from kb_search.domain.ratings import Rate

Writer = Annotated[Principal, requires(WRITE)]
RevisionAsked = Annotated[int | None, Query(ge=1, le=2_147_483_647, description="An earlier one")]
_PATH = "/v1/articles/{article_id}"


def routes(library: Library) -> APIRouter:
    """`/v1/articles`."""
    articles = router(tags=["articles"])

    @articles.put(_PATH, response_model=ArticleObject, responses=_written() | refusals(409, 412, 413))
    async def put(
        writer: Writer,
        article_id: ArticleId,
        body: ArticleBody,
        once: Once = None,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Write an article, or what it says from now on: a new revision, unless it says that already."""
        condition = condition_of(if_match, if_none_match)
        command = Put(article_id, body.content(), condition, writer.name)
        answer = await library.put(command, once)
        revision = orjson.loads(answer)["revision"]
        return json(answer, 201 if revision == 1 else 200, {"etag": etag(revision)})

    @articles.get(_PATH, response_model=ArticleObject, responses=_read() | refusals(404), dependencies=[requires(READ)])
    async def read(
        article_id: ArticleId, revision: RevisionAsked = None, if_none_match: IfNoneMatch = None
    ) -> Response:
        """The article as it stands, or one of its revisions; a retired one can be read by its revisions alone."""
        told = await library.read(article_id, revision)
        headers = {"etag": etag(told["revision"])}
        return Response(b"", 304, headers) if names(if_none_match, told["revision"]) else json(told, 200, headers)

    @articles.delete(_PATH, status_code=204, response_class=Response, responses=refusals(404, 409, 412))
    async def retire(writer: Writer, article_id: ArticleId, once: Once = None, if_match: IfMatch = None) -> Response:
        """Let an article not be found any more. Its revisions stay readable; writing it again brings it back."""
        await library.retire(Retire(article_id, condition_of(if_match), writer.name), once)
        return Response(status_code=204)

    @articles.get("/v1/articles", response_model=ArticlePage, dependencies=[requires(READ)])
    async def every(cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """All articles that can be found, by their id."""
        place = place_of(cursor, str)
        return json(await library.page(after=str(place[0]) if place else "", limit=limit))

    @articles.post(
        f"{_PATH}/ratings",
        response_model=RatingObject,
        responses=refusals(404, 409, 413),
        dependencies=[requires(WRITE)],
    )
    async def rate(article_id: ArticleId, body: RatingBody, once: Once = None) -> Response:
        """Say whether an article helped. The same word of the same agent again changes nothing, another replaces it."""
        command = Rate(article_id, body.score, body.agent_id, body.request_id, body.revision)
        return json(await library.rate(command, once))

    return articles


def _written() -> dict[int | str, dict[str, object]]:
    return {
        200: {"description": "Revised, or as it was", "headers": _ETAG},
        201: {"description": "Written for the first time", "headers": _ETAG, "model": ArticleObject},
    }


def _read() -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The article", "headers": _ETAG}, 304: {"description": "You have this revision"}}


_ETAG = {"ETag": {"description": "The revision", "schema": {"type": "string"}}}
