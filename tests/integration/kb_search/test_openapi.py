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
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from tests.support.kb_search import Libraries
from tests.support.serving import TOKEN

Json = dict[str, Any]
pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = 8
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "kb_search", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


async def test_the_document_names_every_route_with_its_refusals(written: Json) -> None:
    named = {f"{method.upper()} {path}" for path, item in written["paths"].items() for method in item}
    assert named == {
        "GET /v1/agents/{agent_id}/bookmarks",
        "DELETE /v1/agents/{agent_id}/bookmarks/{article_id}",
        "GET /v1/agents/{agent_id}/bookmarks/{article_id}",
        "PUT /v1/agents/{agent_id}/bookmarks/{article_id}",
        "GET /v1/articles",
        "DELETE /v1/articles/{article_id}",
        "GET /v1/articles/{article_id}",
        "PUT /v1/articles/{article_id}",
        "POST /v1/articles/{article_id}/ratings",
        "GET /v1/gaps",
        "GET /v1/requests/{request_id}/suggestions",
        "POST /v1/requests/{request_id}/suggestions/{article_id}/used",
        "GET /v1/search",
    }
    for path, item in written["paths"].items():
        for method, operation in item.items():
            assert {"401", "403", "422", "503"} <= operation["responses"].keys(), (method, path)


# Other replicas of the session draw random numbers in this process meanwhile, which the generator takes for its own.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Libraries) -> None:
    replica = await service.replica()
    url = str(replica.http.base_url)
    schema = schemathesis.openapi.from_dict(written)
    for path, item in written["paths"].items():
        for method in item:
            for mode in GenerationMode:
                await asyncio.to_thread(fuzz, schema[path][method.upper()], mode, url)
    await replica.close()


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, checks=CHECKS)

    holds()
