"""The OpenAPI document: what FastAPI derives, hand-registered routes merged in, and the errors as they really are."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chassis.problems import MEDIA_TYPE, STATUS

_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics"})

PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. Problems of a type may have further members: `errors`, `state`, `holder`.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{code}" for code in STATUS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "state": {"type": ["string", "null"]},
        "holder": {"type": ["string", "null"]},
    },
}
_PROBLEM_CONTENT: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def document(
    app: FastAPI, path: str, method: str, operation: Mapping[str, Any], models: Sequence[type[BaseModel]] = ()
) -> None:
    """Add a hand-registered route's OpenAPI operation; `models` go into the components.

    `operation` is an OpenAPI 3.1 operation object; it refers to models by `{"$ref": "#/components/schemas/<Name>"}`.
    Security, the problem answers and the operation id are filled in where it does not give them.
    """
    app.state.operations.append((path, method.lower(), dict(operation)))
    app.state.models.extend(model for model in models if model not in app.state.models)
    app.openapi_schema = None


def install(app: FastAPI) -> None:
    """Let `app.openapi()` give the whole document."""
    app.state.operations = []
    app.state.models = []

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]  # the way FastAPI documents for this


def _build(app: FastAPI) -> dict[str, Any]:
    whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = deepcopy(dict(PROBLEM))
    schemas.update(_schemas_of(app.state.models))
    whole["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    paths = whole.setdefault("paths", {})
    for path, method, operation in app.state.operations:
        paths.setdefault(path, {})[method] = deepcopy(operation)
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                _complete(item[method], path, method)
    whole["paths"] = dict(sorted(paths.items()))
    return whole


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    words = "".join(letter if letter.isalnum() else " " for letter in path).split()
    operation.setdefault("operationId", "_".join([*words, method]))
    operation.setdefault("tags", words[1:2])
    _head(operation)
    responses = operation.setdefault("responses", {})
    if path in _OPEN:
        return
    operation.setdefault("security", [{"token": []}])
    shared = {"401": "No token, or one that is not known", "403": "The token does not allow this"}
    shared |= {"422": "The request is not valid", "503": "Not available at the moment; retry with the same key"}
    for status, description in shared.items():
        given = responses.get(status, {})
        if MEDIA_TYPE not in given.get("content", {}):
            responses[status] = {"description": description, "content": deepcopy(_PROBLEM_CONTENT)}


def _head(operation: dict[str, Any]) -> None:
    """Where the framework heads an operation with its function's name, its first sentence is put there."""
    said = operation.get("description")
    name = str(operation.get("summary", "")).lower().replace(" ", "_")
    if said and operation["operationId"].startswith(f"{name}_v1_"):
        first, _, rest = said.partition(".")
        operation["summary"] = " ".join(first.split())
        if rest.strip():
            operation["description"] = rest.strip()
        else:
            del operation["description"]


def _schemas_of(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    if not models:
        return {}
    pairs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, made = models_json_schema(pairs, ref_template="#/components/schemas/{model}")
    definitions: dict[str, Any] = made.get("$defs", {})
    return definitions
