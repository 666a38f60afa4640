"""A request's escalations and clocks."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.commands import use_of
from chassis.ids import new_id
from chassis.paging import DEFAULT_LIMIT, decode_cursor, page
from chassis.web import requires, router
from escalation.api.models import ClockPage, EscalationAnswer, EscalationOrder
from escalation.api.parameters import ACT, READ, Cursor, Key, Limit, json_of, refusals
from escalation.app.escalations import Escalations, Reading
from escalation.domain.escalate import Escalate
from events.times import to_text


def routes(escalations: Escalations) -> APIRouter:
    """`/v1/requests/{request_id}/escalations` and `/clocks`."""
    requests = router(tags=["requests"])

    @requests.post(
        "/v1/requests/{request_id}/escalations",
        status_code=202,
        response_model=EscalationAnswer,
        responses=refusals(404, 409),
        dependencies=[requires(ACT)],
    )
    async def escalate(request: Request, request_id: str, order: EscalationOrder, _key: Key = None) -> Response:
        """Ask for a higher tier. One at a time: while one is pending, its answer is given again."""
        use = use_of(request, await request.json())
        asked = Escalate(event_id=new_id(), by=order.by, reason=order.reason, to_tier=order.to_tier)
        return json_of(await escalations.escalate(request_id, asked, use), 202)

    @requests.get(
        "/v1/requests/{request_id}/clocks",
        response_model=ClockPage,
        responses=refusals(404),
        dependencies=[requires(READ)],
    )
    async def clocks(request_id: str, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> Response:
        """The promises made to a request and how their clocks stand; one that has become void is not shown."""
        after = decode_cursor(cursor, int)
        found = list(enumerate(await escalations.clocks(request_id)))
        rest = found if after is None else [each for each in found if each[0] > after[0]]
        shown, following = page(rest[: limit + 1], limit, lambda each: [each[0]])
        return json_of(orjson.dumps({"items": [_item(each) for _, each in shown], "next_cursor": following}))

    return requests


def _item(reading: Reading) -> dict[str, Any]:
    clock, terms = reading.clock, reading.clock.terms
    return {
        "promise": terms.promise,
        "due_at": None if clock.due_us is None else to_text(clock.due_us),
        "consumed_us": reading.consumed_us,
        "state": reading.state,
        "policy_version": terms.policy_version,
        "policy": terms.policy,
        "target_us": terms.target_us,
        "warn_at": None if clock.warn_at_us is None else to_text(clock.warn_at_us),
        "started_at": to_text(clock.started_us),
        "cycle": clock.cycle,
        "calendar": terms.calendar,
        "calendar_version": terms.calendar_version,
    }
