"""A service's OpenAPI document, and calls that are made from it: each must be answered as the document says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from tests.support.serving import HEADERS, Json

AS_IT_SAYS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
STRICTLY = [*AS_IT_SAYS, checks.negative_data_rejection, checks.response_headers_conformance]

Call = tuple[str, str, GenerationMode]


def written(package: str) -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", package, "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


def calls_of(document: Json) -> Iterator[Call]:
    """Path, method and mode of all that can be made from the document: what is right by it, and what is wrong."""
    for path, item in document["paths"].items():
        for method in item:
            yield from ((path, method.upper(), mode) for mode in GenerationMode)


async def hold(
    document: Json,
    url: str,
    calls: Iterable[Call],
    *,
    examples: int,
    strictly: bool = False,
    shaped: Callable[[Case[Any]], None] = lambda _case: None,
) -> None:
    """Makes so many examples of each call; `shaped` may change those that are right before they are sent."""
    schema = schemathesis.openapi.from_dict(document)
    for path, method, mode in calls:
        shape = shaped if mode is GenerationMode.POSITIVE else None
        await asyncio.to_thread(_fuzz, schema[path][method], mode, url, examples, strictly, shape)


def _fuzz(
    operation: Any,
    mode: GenerationMode,
    url: str,
    examples: int,
    strictly: bool,
    shape: Callable[[Case[Any]], None] | None,
) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        if shape is not None:
            shape(case)
        case.call_and_validate(base_url=url, headers=HEADERS, checks=STRICTLY if strictly else AS_IT_SAYS)

    holds()
