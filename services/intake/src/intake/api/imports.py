"""`POST /v1/imports`: past events, line by line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chassis.errors import Invalid
from chassis.problems import to_object
from chassis.web import authorise, body_of, refuse_query
from intake.api import writing
from intake.app.importing import Imports
from intake.domain.imports import Accepted, Outcome, Rejected

IMPORTS = "/v1/imports"
SCOPE = "imports:write"


def import_of(imports: Imports) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint."""

    async def import_(request: Request) -> Response:
        authorise(request, SCOPE)
        refuse_query(request)
        answers = await imports.take(await body_of(request))
        return writing.lines([_line(number, outcome) for number, outcome in answers])

    return import_


def _line(number: int, outcome: Outcome) -> bytes:
    if isinstance(outcome, Rejected):
        faults = [{"field": fault.field, "reason": fault.reason} for fault in outcome.faults]
        error = to_object(Invalid(faults, "The line was left out: correct the named fields and import it again."))
        return orjson.dumps({"line": number, "status": "rejected", "error": error}, option=orjson.OPT_APPEND_NEWLINE)
    status = b"accepted" if isinstance(outcome, Accepted) else b"duplicate"
    return b'{"line":%d,"status":"%b","error":null}\n' % (number, status)
