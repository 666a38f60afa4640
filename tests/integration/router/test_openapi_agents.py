"""What the OpenAPI document says of agents, queues and policies holds: whatever is made from it is answered so."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from tests.support.router import Routers
from tests.support.serving import HEADERS, Json

EXAMPLES = 8
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
ENDLESS = "/v1/agents/{agent_id}/stream"


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "router", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Routers) -> None:
    router = await service.replica()
    await router.agent("ada")
    schema = schemathesis.openapi.from_dict(written)
    for path, item in written["paths"].items():
        if path.startswith(("/v1/agents", "/v1/queues")) and path != ENDLESS:
            for method in item:
                for mode in GenerationMode:
                    await asyncio.to_thread(fuzz, schema[path][method.upper()], mode, router.program.url)


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers=HEADERS, checks=CHECKS)

    holds()


async def test_the_examples_are_taken(written: Json, service: Routers) -> None:
    router = await service.local()
    for path in ("/v1/agents/{agent_id}", "/v1/agents/{agent_id}/presence", "/v1/queues/{queue}/policy"):
        content = written["paths"][path]["put"]["requestBody"]["content"]["application/json"]
        answer = await router.http.put(
            path.format(agent_id="ada", queue="q"), json=content["examples"]["usual"]["value"]
        )
        assert answer.status_code == 200, answer.text
