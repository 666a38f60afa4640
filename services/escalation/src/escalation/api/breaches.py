"""Broken promises."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.errors import Invalid
from chassis.paging import DEFAULT_LIMIT, decode_cursor, page
from chassis.web import requires, router
from escalation.api.models import BreachPage
from escalation.api.parameters import READ, Cursor, Limit, Moment, json_of
from escalation.app.ports import Breach
from events.times import to_text

_PLACE = (int, str, str, int)
_TOLD = ("leg", "channel", "queue", "tier", "agent_id", "support_level", "severity", "priority")

Since = Annotated[Moment | None, Query(alias="from", description="Due from this moment on")]
Until = Annotated[Moment | None, Query(alias="to", description="Due before this moment")]
Corrected = Annotated[bool, Query(description="Those too that an event which came late has overturned")]


class Broken(Protocol):
    """Reads breaches."""

    def __call__(
        self, *, from_us: int | None, to_us: int | None, corrected: bool, after: list[Any] | None, most: int
    ) -> Awaitable[Sequence[Breach]]:
        """Up to `most` with a due moment in `[from_us, to_us)`, the latest first, behind the place `after`."""
        ...


def routes(broken: Broken) -> APIRouter:
    """`/v1/breaches`."""
    breaches = router(tags=["breaches"], dependencies=[requires(READ)])

    @breaches.get("/v1/breaches", response_model=BreachPage)
    async def every(
        from_: Since = None,
        to: Until = None,
        corrected: Corrected = False,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response:
        """Promises that were broken, by the moment at which they were due; the latest first."""
        if from_ is not None and to is not None and to < from_:
            raise Invalid([{"field": "to", "reason": "must not lie before from"}])
        after = decode_cursor(cursor, *_PLACE)
        found = await broken(from_us=from_, to_us=to, corrected=corrected, after=after, most=limit + 1)
        shown, following = page(found, limit, lambda each: [each.due_us, each.request_id, each.promise, each.cycle])
        return json_of(orjson.dumps({"items": [_item(each) for each in shown], "next_cursor": following}))

    return breaches


def _item(breach: Breach) -> dict[str, Any]:
    fact = breach.fact
    return {
        "request_id": breach.request_id,
        "promise": breach.promise,
        "due_at": to_text(breach.due_us),
        "detected_at": to_text(breach.detected_us),
        "corrected_at": None if breach.corrected_us is None else to_text(breach.corrected_us),
        "event_id": breach.event_id,
        "policy": fact["policy"],
        "policy_version": fact["policy_version"],
        "target_us": fact["target_us"],
        "cycle": breach.cycle,
        **{name: fact.get(name) for name in _TOLD},
    }
