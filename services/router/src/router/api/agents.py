"""`/v1/agents`: written, present or not, looked at."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Body
from starlette.responses import Response

from chassis.paging import decode_cursor, page
from chassis.web import requires, router
from router.api.agent_models import AgentBody, AgentPage, AgentView, PresenceBody, view_of
from router.api.parameters import LIMIT, ROUTING_READ, Actor, Admin, AgentId, Cursor, Limit, problems
from router.app.roster import Roster

AGENT: Final = "/v1/agents/{agent_id}"
UNKNOWN: Final = problems(s404="There is no such agent: register him first")

_ADA: Final = {
    "name": "Ada",
    "queues": ["cards"],
    "tier": 1,
    "skills": {"fraud": 4},
    "languages": ["en", "de"],
    "channels": {"voice": 1, "chat": 3},
}
_Agent = Annotated[AgentBody, Body(openapi_examples={"usual": {"value": _ADA}})]
_Presence = Annotated[PresenceBody, Body(openapi_examples={"usual": {"value": {"status": "available"}}})]


def routes(roster: Roster) -> APIRouter:
    """Agents, but for their streams."""
    agents = router(tags=["agents"])

    @agents.put(AGENT, response_model=AgentView, responses=problems(s404="No id has a slash"))
    async def put(caller: Admin, agent_id: AgentId, body: _Agent) -> Response:
        """Registers the agent, offline at first, or writes him anew; the same again changes nothing.

        Where he is given fewer channels or units than he has taken, he keeps what he has until he lets it go.
        """
        return _json(view_of(await roster.put(agent_id, body.profile(), by=caller.name)))

    @agents.put(f"{AGENT}/presence", response_model=AgentView, responses=UNKNOWN)
    async def presence(caller: Actor, agent_id: AgentId, body: _Presence) -> Response:
        """Says whether the agent is there. It stays so until it is said otherwise: no heartbeat is needed.

        Who goes offline loses his open offers at once, and his contacts after the grace of their queues' policies.
        """
        return _json(view_of(await roster.change_presence(agent_id, body.status, by=caller.name)))

    @agents.get(AGENT, response_model=AgentView, dependencies=[requires(ROUTING_READ)], responses=UNKNOWN)
    async def look(agent_id: AgentId) -> Response:
        """The agent with what he is offered and has."""
        return _json(view_of(await roster.look(agent_id)))

    @agents.get("/v1/agents", response_model=AgentPage, dependencies=[requires(ROUTING_READ)])
    async def every(cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """All agents, by their ids."""
        after = decode_cursor(cursor, str)
        found = await roster.page(after[0] if after else None, limit + 1)
        shown, following = page(found, limit, lambda each: [each.agent.agent_id])
        return _json({"items": [view_of(each) for each in shown], "next_cursor": following})

    return agents


def _json(answer: Any) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
