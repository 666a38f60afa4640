"""The orders on a request, and a look at one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from starlette.requests import Request as Call
from starlette.responses import Response
from starlette.routing import Route

from chassis.commands import members_of, use_of, validated
from chassis.ids import new_id
from chassis.web import authorise, body_of, refuse_query
from router.api.bodies import ORDERS, AnyBody
from router.app.orders import Orders, unknown
from router.app.ports import Shown

READ: Final = "routing:read"
ACT: Final = "routing:act"
REQUEST: Final = "/v1/requests/{request_id}"

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)

Endpoint = Callable[[Call], Awaitable[Response]]


def routes(orders: Orders) -> list[Route]:
    """One route a verb, and the look."""
    acts = [Route(f"{REQUEST}/{verb}", _order(orders, body), methods=["POST"]) for verb, body in ORDERS.items()]
    return [*acts, Route(REQUEST, _look(orders), methods=["GET"])]


def _order(orders: Orders, model: type[AnyBody]) -> Endpoint:
    async def order(call: Call) -> Response:
        caller = authorise(call, ACT)
        refuse_query(call)
        request_id = _request_id(call)
        members = members_of(await body_of(call))
        command = replace(validated(model, members).command(new_id()), by=caller.name)
        answer = await orders.carry_out(request_id, command, use_of(call, members))
        return Response(answer, media_type="application/json")

    return order


def _look(orders: Orders) -> Endpoint:
    async def look(call: Call) -> Response:
        authorise(call, READ)
        refuse_query(call)
        shown = await orders.look(_request_id(call))
        return Response(orjson.dumps(_view(shown)), media_type="application/json")

    return look


def _request_id(call: Call) -> str:
    """The path's; what cannot be an id is not looked for."""
    given = str(call.path_params["request_id"])
    if not _REQUEST_ID.fullmatch(given):
        raise unknown(repr(given[:100]))
    return given


def _view(shown: Shown) -> Mapping[str, Any]:
    request, standing = shown.request, shown.request.standing
    return {
        "request_id": request.request_id,
        "state": standing.state,
        "leg": standing.leg,
        "tier": standing.tier,
        "queue": standing.queue,
        "agent_id": standing.agent_id,
        "version": request.version,
        "cycle": standing.cycle,
        "channel": request.channel,
        "skills": request.skills,
        "wanted_agent": request.wanted_agent,
        "decision": shown.decision,
    }
