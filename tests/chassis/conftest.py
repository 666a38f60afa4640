"""An application of the chassis with one route of each kind, and callers for it."""

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chassis import web
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.service import Service
from chassis.settings import ServiceSettings


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    stars: int = 3


class Parts:
    """What an application was built of."""

    def __init__(self) -> None:
        self.service = Service("sample")
        self.checks = Checks()
        self.metrics = Metrics()
        self.app = _application(self)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://sample") as client:
            yield client


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with parts.client() as client:
        yield client


def settings() -> ServiceSettings:
    def grant(token: str, *scopes: str) -> tuple[str, dict[str, object]]:
        return hashlib.sha256(token.encode()).hexdigest(), {"name": token, "scopes": list(scopes)}

    return ServiceSettings.model_validate(
        {
            "DATABASE_URL": "postgresql://nowhere.invalid/none",
            "KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092",
            "THROUGHLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
            "THROUGHLINE_TOKENS": dict(
                [grant("reader", "notes:read"), grant("writer", "notes:write"), grant("all", "*")]
            ),
        }
    )


def _application(parts: Parts) -> FastAPI:
    notes = web.router(prefix="/v1", dependencies=[web.requires("notes:read")])

    @notes.get("/notes/{note_id}")
    async def one(note_id: str, shape: str = "long") -> dict[str, str]:
        return {"note_id": note_id, "shape": shape}

    @notes.put("/notes/{note_id}")
    async def put(note_id: str, note: Note) -> dict[str, object]:
        return {"note_id": note_id, **note.model_dump()}

    async def hot(request: Request) -> Response:
        web.authorise(request, "notes:write")
        web.refuse_query(request, ("dry",))
        return Response(str(len(await web.body_of(request))), 202)

    return web.application(
        title="Sample",
        version="1",
        settings=settings(),
        checks=parts.checks,
        metrics=parts.metrics,
        service=parts.service,
        routes=[
            Route("/v1/hot", hot, methods=["POST"]),
            Route("/v1/bulk", hot, methods=["POST"]),
            Route("/v1/fault", _fault),
            Route("/v1/torn", _torn),
            Route("/v1/stream", _endless(parts.service)),
        ],
        routers=[notes],
        body_limits={"/v1/bulk": 3 << 20},
    )


async def _fault(_request: Request) -> Response:
    raise ZeroDivisionError("a secret of the inside")


async def _torn(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    return StreamingResponse(parts())


def _endless(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def stream(_request: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"begun"
            await service.stopping.wait()
            yield b"ended"

        return StreamingResponse(lines())

    return stream
