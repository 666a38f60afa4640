"""`/docs` without a network: Swagger UI served from a wheel instead of a CDN."""

from importlib import resources
from typing import Final

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_WHEEL: Final = "fastapi_swagger"
_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_KEEP: Final = {"cache-control": "public, max-age=86400"}


def routes(title: str) -> list[BaseRoute]:
    """The page and its three files; they need no token, as they hold nothing of anybody."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=title,
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon-32x32.png",
        swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
    )

    async def show(_request: Request) -> Response:
        return page

    return [Route("/docs", show, include_in_schema=False), *(_file(name) for name in _FILES)]


def _file(name: str) -> Route:
    async def send(_request: Request) -> Response:
        content = (resources.files(_WHEEL) / "resources" / name).read_bytes()
        return Response(content, headers=_KEEP, media_type=_FILES[name])

    return Route(f"/docs/{name}", send, include_in_schema=False)
