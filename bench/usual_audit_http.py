"""Timelines over HTTP as it is usually done: FastAPI with dependencies and a response model, the ORM, pydantic.

`python -m bench.usual_audit_http` serves it with DATABASE_URL, BENCH_TOKEN and THROUGHLINE_PORT.
"""

import hmac
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Histogram
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from audit.api.models import TimelineObject
from bench.usual_audit import KeptRecord, entry_of_row
from events.catalogue import CATALOGUE
from events.lifecycle import fold, timeline

DURATIONS = Histogram("bench_request_seconds", "From request to answer", ["route"])
log = logging.getLogger("bench")


def build(database_url: str, token: str) -> FastAPI:
    """The application. What the product has is here too: a token, an access log, request ids, a metric."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8)
    sessions = async_sessionmaker(engine)
    bearer = HTTPBearer()
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    async def authorised(given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> None:
        if not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(401)

    @app.middleware("http")
    async def observed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        answer = await call_next(request)
        elapsed_s = time.perf_counter() - began
        answer.headers["x-request-id"] = str(uuid.uuid4())
        DURATIONS.labels(request.scope["route"].path).observe(elapsed_s)
        log.info("%s %s %s %.6f", request.method, request.url.path, answer.status_code, elapsed_s)
        return answer

    @app.get("/v1/requests/{request_id}/timeline", dependencies=[Depends(authorised)], response_model=TimelineObject)
    async def one(request_id: str, opened: Annotated[AsyncSession, Depends(session)]) -> dict[str, Any]:
        kept = list(await opened.scalars(select(KeptRecord).where(KeptRecord.request_id == request_id)))
        if not kept:
            raise HTTPException(404)
        return _told(request_id, kept)

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


def _told(request_id: str, kept: list[KeptRecord]) -> dict[str, Any]:
    entries = []
    for each in kept:
        model = CATALOGUE[each.type].model
        model.model_validate({name: value for name, value in each.data.items() if name != "sealed"}, strict=False)
        entry = entry_of_row(each)
        entry.position = f"contacts/{each.partition}/{each.place}"
        entries.append(entry)
    return timeline(
        fold(entries),
        request_id=request_id,
        as_of_us=max(each.known_us for each in kept),
        open_data=lambda entry: {name: value for name, value in entry.data.items() if name != "sealed"},
    )


def main() -> None:
    """Serves until SIGTERM."""
    logging.basicConfig(level=logging.INFO, filename=os.devnull)
    app = build(os.environ["DATABASE_URL"], os.environ["BENCH_TOKEN"])
    port = int(os.environ["THROUGHLINE_PORT"])
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, loop="uvloop", http="httptools"
    )


if __name__ == "__main__":
    main()
