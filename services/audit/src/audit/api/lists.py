"""Lists of requests, and reports over them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from audit.api.models import Report, RequestPage, StateName
from audit.api.parameters import LIMIT, Cursor, GroupBy, Limit, Moment, Zone
from audit.api.scopes import AUDIT_READ
from audit.app.answers import Answers
from audit.app.ports import Wanted
from audit.domain.filters import RequestFilter
from audit.domain.rendering import render
from chassis.errors import Invalid
from chassis.web import requires, router
from events.lifecycle import Cohort

Channel = Literal["voice", "email", "chat", "sms", "web", "social"]
From = Annotated[Moment, Query(alias="from", description="The first moment that counts")]
To = Annotated[Moment, Query(description="The first moment that counts no more")]
Since = Annotated[Moment | None, Query(alias="from", description="Received from this moment on")]
Until = Annotated[Moment | None, Query(description="Received before this moment")]
Search = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=1_000,
        description="How a request id, customer id, agent's or queue's name begins, to the letter",
    ),
]


def routes(answers: Answers) -> APIRouter:
    """`/v1/requests`, `/v1/customers/{id}/history`, `/v1/reports/durations`."""
    lists = router(dependencies=[requires(AUDIT_READ)])

    @lists.get("/v1/requests", response_model=RequestPage, tags=["requests"])
    async def requests(
        state: StateName | None = None,
        channel: Channel | None = None,
        agent_id: str | None = None,
        customer_id: str | None = None,
        from_: Since = None,
        to: Until = None,
        q: Search = None,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
    ) -> Response:
        """Requests that agree in all that is given, newest received first; `from` and `to` bound the receipt."""
        wanted = RequestFilter(state, channel, agent_id, customer_id, from_, to, q)
        return _json(render(await answers.requests(wanted, cursor=cursor, limit=limit)))

    @lists.get("/v1/customers/{customer_id:text}/history", response_model=RequestPage, tags=["requests"])
    async def history(customer_id: str, cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """All requests of a customer, over all channels, newest received first; empty for an unknown one."""
        wanted = RequestFilter(customer_id=customer_id)
        return _json(render(await answers.requests(wanted, cursor=cursor, limit=limit)))

    @lists.get("/v1/reports/durations", response_model=Report, tags=["reports"])
    async def durations(
        from_: From,
        to: To,
        cohort: Cohort = Cohort.RECEIVED,
        group_by: GroupBy = "",
        tz: Zone = "UTC",
        as_of: Moment | None = None,
    ) -> Response:
        """Exact durations of the requests whose headline time of the cohort lies in `[from, to)`, by group."""
        if to < from_:
            raise Invalid([{"field": "to", "reason": "must not lie before from"}])
        names = tuple(group_by.split(",")) if group_by else ()
        return _json(render(await answers.report(Wanted(from_, to, cohort, names, as_of), tz=tz)))

    return lists


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
