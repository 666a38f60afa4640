"""`POST /v1/contacts:batch`: many contacts at once, each settled by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chassis.commands import checked_key, members_of
from chassis.edge import BODY_LIMIT
from chassis.errors import Refused, TooLarge
from chassis.problems import to_object
from chassis.web import authorise, body_of, refuse_query
from events.times import to_text
from intake.api import writing
from intake.api.contacts import received
from intake.api.reading import SCOPE
from intake.app.answers import Answer
from intake.app.desk import Desk
from intake.domain.commands import Command
from intake.domain.ndjson import numbered

BATCH = "/v1/contacts:batch"
KEYS_OF_BATCHES = f"POST {BATCH}"
MOST_LINES = 1_000


def batch_of(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint."""

    async def batch(request: Request) -> Response:
        authorise(request, SCOPE)
        refuse_query(request)
        body = list(numbered(await body_of(request)))
        if len(body) > MOST_LINES:
            raise TooLarge(f"A batch takes {MOST_LINES} contacts at most: send these {len(body)} in parts.")
        read = {number: _read(raw) for number, raw in body}
        commands = {number: command for number, command in read.items() if not isinstance(command, Refused)}
        taken = dict(zip(commands, await desk.take_all(list(commands.values())), strict=True))
        refused = {number: command for number, command in read.items() if isinstance(command, Refused)}
        outcomes: Mapping[int, Answer | Refused] = taken | refused
        return writing.lines([_line(number, outcomes[number]) for number in read])

    return batch


def _read(raw: bytes) -> Command | Refused:
    """The command on a line, or why there is none."""
    try:
        if len(raw) > BODY_LIMIT:
            raise TooLarge(f"A contact takes {BODY_LIMIT} bytes at most.")
        members = members_of(raw)
        key: Any = members.pop("idempotency_key", None)
        return received(
            members, len(raw), KEYS_OF_BATCHES, None if key is None else checked_key(key, "idempotency_key")
        )
    except Refused as refused:
        return refused


def _line(number: int, outcome: Answer | Refused) -> bytes:
    line: dict[str, Any] = {"line": number, "status": 202, "request_id": None, "event_id": None, "received_at": None}
    line |= {"duplicate": False, "error": None}
    if isinstance(outcome, Answer):
        line |= {"request_id": outcome.request_id, "event_id": outcome.event_id, "duplicate": outcome.duplicate}
        line["received_at"] = to_text(outcome.received_us)
        line |= {"continued": True} if outcome.continued else {}
    else:
        problem = to_object(outcome)
        line |= {"status": problem["status"], "error": problem}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
