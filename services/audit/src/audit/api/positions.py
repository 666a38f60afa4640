"""How far the log has been taken in."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from fastapi import APIRouter
from starlette.responses import Response

from audit.api.models import PositionPage
from audit.api.parameters import LIMIT, Cursor, Limit
from audit.api.scopes import AUDIT_READ
from audit.domain.rendering import render
from chassis.consumer import Position
from chassis.paging import decode_cursor, page
from chassis.web import requires, router

Positions: TypeAlias = Callable[[], Awaitable[list[Position]]]


def routes(where: Positions) -> APIRouter:
    """`/v1/positions`."""
    positions = router(dependencies=[requires(AUDIT_READ)], tags=["log"])

    @positions.get("/v1/positions", response_model=PositionPage)
    async def every(cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """Every partition's end and how much of it is taken in. `end` and `lag` are null while Kafka is down."""
        after = decode_cursor(cursor, str, int)
        items = sorted((_item(position) for position in await where()), key=_place)
        rest = [item for item in items if after is None or _place(item) > tuple(after)]
        shown, following = page(rest[: limit + 1], limit, _place)
        return Response(render({"items": shown, "next_cursor": following}), media_type="application/json")

    return positions


def _item(position: Position) -> dict[str, Any]:
    return {
        "topic": position.topic,
        "partition": position.partition,
        "end": position.end,
        "projected": position.next_offset,
        "lag": position.lag,
        "behind_us": position.behind_us,
    }


def _place(item: dict[str, Any]) -> tuple[str, int]:
    return item["topic"], item["partition"]
