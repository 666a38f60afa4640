"""The log, page after page or as a stream."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from audit.api.models import EventPage
from audit.api.parameters import LIMIT, Cursor, Limit
from audit.api.scopes import PERSONAL_READ, Reader
from audit.app.answers import Answers
from audit.app.following import Follower
from audit.domain.cursor import Vector
from audit.domain.filters import LogFilter
from audit.domain.rendering import render
from chassis.paging import encode_cursor
from chassis.web import router

Topic = Literal["contacts", "agents", "policies", "knowledge"]
Type = Annotated[str | None, Query(alias="type", min_length=1, max_length=200, description="For instance Routed")]
RequestId = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", description="Where to go on; goes before `cursor`")]


def routes(answers: Answers, follower: Follower) -> APIRouter:
    """`/v1/events` and `/v1/events/stream`."""
    log = router(tags=["log"])

    @log.get("/v1/events", response_model=EventPage)
    async def events(
        reader: Reader,
        type_: Type = None,
        topic: Topic | None = None,
        request_id: RequestId = None,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
    ) -> Response:
        """Every record of contacts, agents, policies and knowledge, in the order of the log within each partition.

        The cursor is never null and moves past what a filter leaves out; at the end of the log `items` is empty and the
        cursor the one that was given.
        """
        wanted = LogFilter(type_, topic, request_id)
        page = await answers.log(wanted, cursor=cursor, limit=limit, personal=reader.may(PERSONAL_READ))
        return Response(render(page), media_type="application/json")

    @log.get("/v1/events/stream", response_class=EventSourceResponse)
    async def stream(
        reader: Reader,
        type_: Type = None,
        topic: Topic | None = None,
        request_id: RequestId = None,
        cursor: Cursor = None,
        last_event_id: LastEventId = None,
    ) -> Response:
        """The same as server-sent events that go on for ever; each one's id is the cursor after it."""
        start = answers.place(last_event_id or cursor)
        wanted = LogFilter(type_, topic, request_id)
        return EventSourceResponse(_told(follower, wanted, start, personal=reader.may(PERSONAL_READ)), sep="\n")

    return log


async def _told(
    follower: Follower, wanted: LogFilter, start: Vector, *, personal: bool
) -> AsyncIterator[ServerSentEvent]:
    async for record, after in follower.follow(wanted, start, personal=personal):
        yield ServerSentEvent(render(record.item).decode(), id=encode_cursor(after.numbers()))
