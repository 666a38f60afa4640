"""`/v1/agents/{agent_id}/stream`: what an agent's desk is told, as server-sent events."""

from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from chassis.web import requires, router
from events.times import to_text
from router.api.agents import AGENT, UNKNOWN
from router.api.parameters import ROUTING_READ, AgentId
from router.app.desks import Desks, Notice
from router.app.roster import Roster


def routes(roster: Roster, desks: Desks) -> APIRouter:
    """The streams."""
    streams = router(tags=["agents"])

    @streams.get(
        f"{AGENT}/stream",
        response_class=EventSourceResponse,
        dependencies=[requires(ROUTING_READ)],
        responses=UNKNOWN,
    )
    async def stream(agent_id: AgentId) -> Response:
        """Offers and withdrawals as they come, and whom the agent is connected to.

        The events are `offer`, `withdrawal`, `connected`, `paused` and `released`. A new stream begins with all that he
        is offered and has, so nothing is missed over a broken connection.
        """
        await roster.look(agent_id)
        return EventSourceResponse(_told(desks, agent_id), sep="\n")

    return streams


async def _told(desks: Desks, agent_id: str) -> AsyncIterator[ServerSentEvent]:
    async for notice in desks.follow(agent_id):
        yield ServerSentEvent(_data(notice), event=str(notice.news))


def _data(notice: Notice) -> str:
    about = notice.assignment
    members = {
        "request_id": about.request_id,
        "leg": about.leg,
        "channel": about.channel,
        "queue": about.queue,
        "tier": about.tier,
        "offered_at": None if about.offered_us is None else to_text(about.offered_us),
        "lapses_at": None if about.lapses_us is None else to_text(about.lapses_us),
    }
    return orjson.dumps(members).decode()
