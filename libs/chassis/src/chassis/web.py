"""The web edge that all services share: the application factory, authorisation, and what queries must not hold."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from chassis import docs, openapi
from chassis.auth import Principal, Tokens
from chassis.bodies import check_json, parse_json
from chassis.edge import Edge, EdgeSettings
from chassis.errors import Invalid, NotFound, Refused, TooLarge, Unavailable
from chassis.logs import AccessLog
from chassis.metrics import CONTENT_TYPE, Metrics
from chassis.openapi import document
from chassis.problems import from_details, problem
from chassis.readiness import Checks
from chassis.server import serve
from chassis.service import Service
from chassis.settings import ServiceSettings

__all__ = [
    "application", "authorise", "body_of", "check_json", "document", "parse_json", "refuse_query", "requires", "router",
    "serve",
]  # fmt: skip

_AUTHORIZATION: Final = b"authorization"
_CONTENT_TYPE: Final = (b"content-type", b"application/json")


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

    `routes` are plain Starlette routes; they stand before `routers`, and those without path parameters are the edge's
    hot lanes. `body_limits` gives bytes by exact path, the default is 1 MiB. Routers come from `router()`. Adds
    `/healthz`, `/readyz`, `/metrics`, `/docs`.
    """
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=service.lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Trace context and metrics are the edge's; asking the environment for an exporter at each request is not free.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    app.state.tokens = Tokens(settings.tokens)
    access_log = AccessLog(service.name)
    app.add_middleware(Edge, settings=EdgeSettings(metrics, access_log, body_limits or {}, _lanes(routes)))
    app.router.routes[:0] = [_told(route) for route in (*routes, *_probes(checks, metrics), *docs.routes(title))]
    for each in routers:
        app.include_router(each)
    _refuse_by_problems(app)
    openapi.install(app)
    return app


def router(**options: Any) -> APIRouter:
    """An APIRouter whose routes authorise before they read, and refuse unknown query parameters, naming them."""
    return APIRouter(route_class=StrictRoute, **options)


def requires(scope: str) -> Any:
    """Demand a token with `scope`: in `dependencies=[…]`, or as `Annotated[Principal, requires(…)]`."""
    return Depends(_Guard(scope))


def authorise(request: HTTPConnection, scope: str) -> Principal:
    """Who calls, if he may; raises Unauthorized or Forbidden. For plain Starlette routes."""
    given = None
    for name, value in request.scope["headers"]:
        if name == _AUTHORIZATION:
            given = value
            break
    tokens: Tokens = request.scope["app"].state.tokens
    principal = tokens.principal(given)
    request.scope["principal"] = principal
    principal.must(scope)
    return principal


def refuse_query(request: HTTPConnection, allowed: Iterable[str] = ()) -> None:
    """Raise Invalid naming each query parameter that is unknown or given twice. For plain Starlette routes."""
    if not request.scope["query_string"]:
        return
    seen: set[str] = set()
    errors = []
    for name, _ in request.query_params.multi_items():
        if name not in allowed:
            errors.append({"field": name, "reason": "is not a query parameter here"})
        elif name in seen:
            errors.append({"field": name, "reason": "is given more than once"})
        seen.add(name)
    if errors:
        raise Invalid(errors)


async def body_of(request: Request) -> bytes:
    """The whole body, once; TooLarge beyond the path's limit, ClientDisconnect where the caller left before its end."""
    parts: list[bytes] = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


class StrictRoute(APIRoute):
    """A route that authorises first, then looks at the query, and only then reads and validates."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        whole = list(_tree(self.dependant))
        allowed = frozenset(name for part in whole for parameter in part.query_params for name in _names(parameter))
        guards = [part.call for part in whole if isinstance(part.call, _Guard)]

        async def strict(request: Request) -> Response:
            for guard in guards:
                authorise(request, guard.scope)
            refuse_query(request, allowed)
            return await handle(_StrictRequest(_as_json(request.scope), request.receive))

        return strict


def _as_json(scope: Scope) -> Scope:
    """A body is JSON whatever its Content-Type says, as on the plain routes: curl says form data unless told."""
    headers = [header for header in scope["headers"] if header[0] != _CONTENT_TYPE[0]]
    return {**scope, "headers": [*headers, _CONTENT_TYPE]}


class _ToldRoute(Route):
    """A plain route that leaves its name in the scope, as FastAPI's do: logs and metrics go by it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE:
            child["route"] = self
        return match, child


class _StrictRequest(Request):
    """Parses its body by our parser: the standard library's takes lone surrogates, NaN and any depth."""

    async def json(self) -> Any:
        return parse_json(await self.body())


class _Guard:
    """The dependency behind `requires`. A class, so that routes find it among their dependencies."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: HTTPConnection) -> Principal:
        return authorise(request, self.scope)


def _told(route: BaseRoute) -> BaseRoute:
    if type(route) is not Route:
        return route
    methods = None if route.methods is None else list(route.methods)
    return _ToldRoute(
        route.path, route.endpoint, methods=methods, name=route.name, include_in_schema=route.include_in_schema
    )


def _lanes(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Route]:
    plain = [route for route in routes if isinstance(route, Route) and "{" not in route.path]
    return {(method, route.path): route for route in plain for method in route.methods or ()}


def _tree(dependant: Dependant) -> Iterable[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _tree(each)


def _names(parameter: Any) -> Iterable[str]:
    annotation = parameter.field_info.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return [parameter.alias]


def _probes(checks: Checks, metrics: Metrics) -> list[BaseRoute]:
    async def healthz(_request: Request) -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    async def readyz(_request: Request) -> Response:
        status, body = await checks.report()
        headers = {"retry-after": "1"} if status == 503 else None
        return Response(orjson.dumps(body, default=str), status, headers, "application/json")

    async def figures(_request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", figures)]


def _refuse_by_problems(app: FastAPI) -> None:
    async def refused(_request: Request, error: Any) -> Response:
        return problem(error)

    async def invalid(_request: Request, error: Any) -> Response:
        return problem(from_details(error.errors(), skip=1))

    async def http(_request: Request, error: Any) -> Response:
        return _of_http(error)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _of_http(error: HTTPException) -> Response:
    """Starlette's and FastAPI's own refusals. 405 is not in the contract's list: it is a kind of `not-found`."""
    if isinstance(error.__cause__, Refused):
        return problem(error.__cause__)
    if error.status_code == 404:
        return problem(NotFound("There is nothing at this path: /docs lists what there is."))
    if error.status_code == 405:
        return problem(NotFound("This path does not take this method."), status=405, headers=error.headers)
    if error.status_code == 413:
        return problem(TooLarge(error.detail))
    if error.status_code >= 500:
        return problem(Unavailable(error.detail))
    return problem(Invalid([{"field": "body", "reason": error.detail}]))
