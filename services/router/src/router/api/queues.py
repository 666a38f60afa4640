"""`/v1/queues` and the policy of each queue."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Body, Header
from starlette.requests import Request
from starlette.responses import Response

from chassis.commands import KEY, LONGEST_KEY, members_of, use_of
from chassis.paging import decode_cursor, page
from chassis.web import requires, router
from router.api.parameters import LIMIT, ROUTING_READ, Admin, Cursor, Limit, Queue, problems
from router.api.queue_models import PolicyBody, PolicyView, QueuePage, view_of
from router.app.policies import PolicyStore
from router.app.queues import Place, Queues
from router.domain.policies import Policy

# Whatever a contact may name as its queue: slashes too.
POLICY: Final = "/v1/queues/{queue:path}/policy"

_NAMELESS: Final = {"s404": "No queue is named"}
_BUSY: Final = {"s409": "The first use of this key is being worked on: send it again in a moment"}
_GOLD: Final = {
    "offer_timeout_us": 20_000_000,
    "start_tiers": [{"tier": 2, "match": {"support_levels": ["gold"], "priority_from": 50}}],
}
_Policy = Annotated[PolicyBody, Body(openapi_examples={"usual": {"value": _GOLD}})]
_Key = Annotated[str | None, Header(alias=KEY, min_length=1, max_length=LONGEST_KEY)]


def routes(queues: Queues, policies: PolicyStore) -> APIRouter:
    """What waits, and by which rules."""
    every = router(tags=["queues"])

    @every.get("/v1/queues", response_model=QueuePage, dependencies=[requires(ROUTING_READ)])
    async def look(cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """What waits by queue, tier and channel, and how many agents have room: wherever somebody waits or works."""
        after = decode_cursor(cursor, str, int, str)
        found = await queues.page(Place(*after) if after else None, limit + 1)
        shown, following = page(found, limit, lambda each: list(each.place))
        items = [{**each.place._asdict(), **each.figures()} for each in shown]
        return _json({"items": items, "next_cursor": following})

    @every.get(
        POLICY, response_model=PolicyView, dependencies=[requires(ROUTING_READ)], responses=problems(**_NAMELESS)
    )
    async def policy(queue: Queue) -> Response:
        """The queue's policy that holds now; version 1 are the defaults, which every queue has at first."""
        return _json(view_of(await policies.look(queue)))

    @every.put(POLICY, response_model=PolicyView, responses=problems(**_NAMELESS, **_BUSY))
    async def change(caller: Admin, queue: Queue, body: _Policy, request: Request, _key: _Key = None) -> Response:
        """Makes the next version of the queue's policy: what is sent over what holds now.

        Offers that are open keep the time-out that they were made with. An Idempotency-Key is honoured.
        """
        use = use_of(request, members_of(await request.body()))
        answer = await policies.change(queue, {**body.changes(), "by": caller.name}, use, _answer)
        return Response(answer, media_type="application/json")

    return every


def _answer(policy: Policy) -> bytes:
    return orjson.dumps(view_of(policy))


def _json(answer: Any) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
