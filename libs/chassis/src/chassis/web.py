"""The web edge that all services share: application factory, documentation of hand-made routes, authorisation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.routing import BaseRoute

from chassis.auth import Principal
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.service import Service
from chassis.settings import ServiceSettings


def application(
    *,
    title: str,
    version: str,
    settings: ServiceSettings,
    checks: Checks,
    metrics: Metrics,
    service: Service,
    routes: Sequence[BaseRoute] = (),
    routers: Sequence[APIRouter] = (),
    body_limits: Mapping[str, int] | None = None,
    description: str = "",
) -> FastAPI:
    """Build the service's application. Constructs nothing that connects.

    `routes` are plain Starlette routes (the hot lane); they stand before `routers`. `body_limits` gives bytes by exact
    path, the default is 1 MiB. Give routers `route_class=StrictRoute` (see `router()`), so that unknown query
    parameters are refused.
    """
    raise NotImplementedError


def router(**options: Any) -> APIRouter:
    """An APIRouter whose routes refuse unknown query parameters with 422, naming them."""
    raise NotImplementedError


def document(app: FastAPI, path: str, method: str, operation: Mapping[str, Any], models: Sequence[type] = ()) -> None:
    """Add a hand-registered route's OpenAPI operation; `models` go into the components (`#/components/schemas/<name>`)."""
    raise NotImplementedError


def authorise(request: Request, scope: str) -> Principal:
    """Who calls, if he may; raises Unauthorized or Forbidden. For plain Starlette routes."""
    raise NotImplementedError


def requires(scope: str) -> Any:
    """The same as a dependency: `principal: Annotated[Principal, requires("audit:read")]`, or in `dependencies=[…]`."""
    raise NotImplementedError


def refuse_query(request: Request, allowed: Sequence[str] = ()) -> None:
    """Raise Invalid naming each query parameter that is not in `allowed`. For plain Starlette routes."""
    raise NotImplementedError


async def body_of(request: Request) -> bytes:
    """The whole body, under the path's limit (TooLarge)."""
    raise NotImplementedError


def check_json(raw: bytes) -> None:
    """Refuse what every JSON body must not hold: NUL characters, lone surrogates, more than 64 levels. Raises Invalid."""
    raise NotImplementedError


def parse_json(raw: bytes) -> Any:
    """`check_json`, then the parsed value. Raises Invalid for malformed JSON."""
    raise NotImplementedError


def serve(app: FastAPI, service: Service, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code. Blocks."""
    raise NotImplementedError


Endpoint = Callable[[Request], Any]
