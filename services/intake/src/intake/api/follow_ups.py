"""Messages and feedback: more on a request that there is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from chassis.commands import key_of, members_of, validated
from chassis.ids import new_id
from chassis.trace import current_traceparent
from chassis.web import authorise, body_of, refuse_query
from events.contacts.contact import Feedback, Message
from intake.api.reading import SCOPE, use_of
from intake.api.writing import accepted
from intake.app.desk import Desk
from intake.domain.commands import AddMessage, GiveFeedback

MESSAGES = "/v1/requests/{request_id}/messages"
FEEDBACK = "/v1/requests/{request_id}/feedback"

Endpoint = Callable[[Request], Awaitable[Response]]


def message_of(desk: Desk, timelines: str) -> Endpoint:
    """`POST /v1/requests/{id}/messages`."""
    return _follow_up(desk, timelines, Message, AddMessage)


def feedback_of(desk: Desk, timelines: str) -> Endpoint:
    """`POST /v1/requests/{id}/feedback`."""
    return _follow_up(desk, timelines, Feedback, GiveFeedback)


def _follow_up(
    desk: Desk, timelines: str, model: type[Message | Feedback], order: type[AddMessage | GiveFeedback]
) -> Endpoint:
    async def follow_up(request: Request) -> Response:
        authorise(request, SCOPE)
        refuse_query(request)
        key = key_of(request)
        raw = await body_of(request)
        members = members_of(raw)
        validated(model, members)
        command = order(
            event_id=new_id(),
            request_id=request.path_params["request_id"],
            sent=members,
            size=len(raw),
            use=use_of(f"POST {request.url.path}", key, members),
            traceparent=current_traceparent(),
        )
        return accepted(await desk.take(command), timelines)

    return follow_up
