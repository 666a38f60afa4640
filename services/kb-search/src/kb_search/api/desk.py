"""What an agent has beside a request: suggestions, and bookmarks."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.web import requires, router
from kb_search.api.answers import json, refusals
from kb_search.api.bodies import BookmarkBody, UsedBody
from kb_search.api.models import BookmarkObject, BookmarkPage, FoundPage, UseObject
from kb_search.api.reading import (
    LIMIT,
    READ,
    WRITE,
    AgentId,
    ArticleId,
    Cursor,
    Limit,
    Once,
    RequestIdOfPath,
    place_of,
)
from kb_search.app.desk import Desk
from kb_search.domain.suggestions import Used

Teams = Annotated[str, Query(max_length=1_000, description="The agent's teams, with commas between")]
_BOOKMARK = "/v1/agents/{agent_id}/bookmarks/{article_id}"


def routes(desk: Desk) -> APIRouter:
    """`/v1/requests/…` and `/v1/agents/…`."""
    beside = router()
    _add_suggestions(beside, desk)
    _add_bookmarks(beside, desk)
    return beside


def _add_suggestions(beside: APIRouter, desk: Desk) -> None:
    @beside.get(
        "/v1/requests/{request_id}/suggestions",
        response_model=FoundPage,
        responses=refusals(404),
        tags=["suggestions"],
        dependencies=[requires(READ)],
    )
    async def suggestions(request_id: RequestIdOfPath, cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """Articles found for what the customer said, the best first; looked up anew with each of his messages."""
        place = place_of(cursor, int)
        return json(await desk.suggestions(request_id, after=int(place[0] or 0) if place else 0, limit=limit))

    @beside.post(
        "/v1/requests/{request_id}/suggestions/{article_id}/used",
        response_model=UseObject,
        responses=refusals(404, 409, 413),
        tags=["suggestions"],
        dependencies=[requires(WRITE)],
    )
    async def used(
        request_id: RequestIdOfPath,
        article_id: ArticleId,
        body: UsedBody | None = None,
        once: Once = None,
    ) -> Response:
        """An agent worked with this article. Said again by the same agent, it gets the first answer."""
        said = body or UsedBody()
        command = Used(request_id, article_id, said.agent_id, said.leg)
        return json(await desk.use(command, once))


def _add_bookmarks(beside: APIRouter, desk: Desk) -> None:
    @beside.get(
        "/v1/agents/{agent_id}/bookmarks",
        response_model=BookmarkPage,
        tags=["bookmarks"],
        dependencies=[requires(READ)],
    )
    async def every(agent_id: AgentId, teams: Teams = "", cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """The agent's own bookmarks, and those shared with him or with one of his teams."""
        place = place_of(cursor, str, str)
        after = (str(place[0]), str(place[1])) if place else ("", "")
        named = [team for team in teams.split(",") if team]
        return json(await desk.bookmarks(agent_id, named, after=after, limit=limit))

    @beside.get(
        _BOOKMARK,
        response_model=BookmarkObject,
        responses=refusals(404),
        tags=["bookmarks"],
        dependencies=[requires(READ)],
    )
    async def one(agent_id: AgentId, article_id: ArticleId) -> Response:
        """One of the agent's own."""
        return json(await desk.bookmarked(agent_id, article_id))

    @beside.put(
        _BOOKMARK,
        response_model=BookmarkObject,
        responses=refusals(404, 409, 413),
        tags=["bookmarks"],
        dependencies=[requires(WRITE)],
    )
    async def mark(
        agent_id: AgentId, article_id: ArticleId, body: BookmarkBody | None = None, once: Once = None
    ) -> Response:
        """Mark an article, or share the mark differently."""
        shares = body.shared_with if body is not None else []
        return json(await desk.bookmark(agent_id, article_id, shares, once))

    @beside.delete(
        _BOOKMARK,
        status_code=204,
        response_class=Response,
        responses=refusals(409),
        tags=["bookmarks"],
        dependencies=[requires(WRITE)],
    )
    async def unmark(agent_id: AgentId, article_id: ArticleId, once: Once = None) -> Response:
        """Take the mark away; where there is none nothing happens."""
        await desk.unmark(agent_id, article_id, once)
        return Response(status_code=204)
