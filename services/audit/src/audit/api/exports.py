"""Exports: everything, streamed."""

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from audit.api.parameters import Moment
from audit.api.scopes import PERSONAL_READ, Reader
from audit.app.exports import EVENTS_AS_CSV, TIMELINES_AS_CSV, Cells, Exports, Rows, as_csv, as_ndjson
from audit.domain.filters import LogFilter, RequestFilter
from chassis.errors import Invalid
from chassis.web import router

Format = Literal["ndjson", "csv", "parquet", "ocel"]
Chosen = Annotated[Format, Query(alias="format", description="parquet and ocel are to come")]
Since = Annotated[Moment | None, Query(alias="from", description="Stated time, or receipt, from this moment on")]
Until = Annotated[Moment | None, Query(description="and before this one")]

_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}


def routes(exports: Exports) -> APIRouter:
    """`/v1/exports/events` and `/v1/exports/timelines`."""
    exported = router(default_response_class=Response, tags=["exports"])

    @exported.get("/v1/exports/events", responses={200: _content("Records, as in /v1/events")})
    async def events(reader: Reader, format_: Chosen = "ndjson", from_: Since = None, to: Until = None) -> Response:
        """The records whose stated time lies in `[from, to)`; without bounds also those that cannot be read."""
        _refuse_later(format_)
        parts = exports.events(LogFilter(from_us=from_, to_us=to), personal=reader.may(PERSONAL_READ))
        return await _streamed(parts, format_, EVENTS_AS_CSV)

    @exported.get("/v1/exports/timelines", responses={200: _content("Timelines; as CSV their numbers alone")})
    async def timelines(reader: Reader, format_: Chosen = "ndjson", from_: Since = None, to: Until = None) -> Response:
        """The timelines of the requests received in `[from, to)`, the first received first."""
        _refuse_later(format_)
        parts = exports.timelines(RequestFilter(from_us=from_, to_us=to), personal=reader.may(PERSONAL_READ))
        return await _streamed(parts, format_, TIMELINES_AS_CSV)

    return exported


def _content(description: str) -> dict[str, object]:
    schema = {"schema": {"type": "string"}}
    return {"description": description, "content": {"application/x-ndjson": schema, "text/csv": schema}}


def _refuse_later(format_: Format) -> None:
    if format_ not in _TYPES:
        raise Invalid([{"field": "format", "reason": f"{format_} is not offered yet: take ndjson or csv"}])


async def _streamed(parts: AsyncIterator[Rows], format_: str, table: tuple[tuple[str, ...], Cells]) -> Response:
    lines = as_ndjson(parts) if format_ == "ndjson" else as_csv(parts, *table)
    # The first piece is read before the answer begins, so that a database that is away is a 503 and no torn file.
    first = await anext(lines, b"")
    return StreamingResponse(_joined(first, lines), media_type=_TYPES[format_])


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
