"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.specs.openapi import checks

from tests.support.intake import Intakes
from tests.support.serving import HEADERS, Json

EXAMPLES = 30
OF_LINES = ("/v1/contacts:batch", "/v1/imports")
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_context: SerializationContext, value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "intake", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


def test_the_document_names_every_route_with_examples_and_problems(written: Json) -> None:
    paths = written["paths"]
    assert set(paths) == {
        "/v1/contacts",
        "/v1/contacts:batch",
        "/v1/imports",
        "/v1/requests/{request_id}/feedback",
        "/v1/requests/{request_id}/messages",
    }
    for path, item in paths.items():
        (content,) = item["post"]["requestBody"]["content"].values()
        assert content["examples"], path
        assert {"401", "403", "413", "422", "429", "503"} <= item["post"]["responses"].keys(), path


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Intakes) -> None:
    intake = await service.replica()
    schema = schemathesis.openapi.from_dict(written)
    for path in written["paths"]:
        # Of lines any text is an answer's worth: only a line can be wrong, and it is answered by itself.
        modes = [GenerationMode.POSITIVE] if path in OF_LINES else list(GenerationMode)
        for mode in modes:
            await asyncio.to_thread(fuzz, schema[path]["POST"], mode, f"http://127.0.0.1:{intake.program.port}")


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers=HEADERS, checks=CHECKS)

    holds()


async def test_the_examples_are_taken(written: Json, service: Intakes) -> None:
    intake = await service.local()
    request_id = (await intake.contact()).json()["request_id"]
    for path, item in written["paths"].items():
        ((kind, content),) = item["post"]["requestBody"]["content"].items()
        value = content["examples"]["usual"]["value"]
        body = value.encode() if kind == "application/x-ndjson" else orjson.dumps(value)
        answer = await intake.http.post(path.format(request_id=request_id), content=body)
        assert answer.status_code == (200 if kind == "application/x-ndjson" else 202), (path, answer.text)
        assert b'"rejected"' not in answer.content
