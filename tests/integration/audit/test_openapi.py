"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import jsonschema
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from tests.audit.given import Writer, life
from tests.support.audit import Audits
from tests.support.serving import headers_for

Json = dict[str, Any]
EXAMPLES = 12
ENDLESS = "/v1/events/stream"
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "audit", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


def test_the_document_names_every_route_with_its_refusals(written: Json) -> None:
    assert set(written["paths"]) == {
        "/v1/customers/{customer_id}/history",
        "/v1/events",
        ENDLESS,
        "/v1/exports/events",
        "/v1/exports/timelines",
        "/v1/positions",
        "/v1/reports/durations",
        "/v1/requests",
        "/v1/requests/{request_id}/timeline",
    }
    for path, item in written["paths"].items():
        assert {"200", "401", "403", "422", "503"} <= item["get"]["responses"].keys(), path


def test_the_examples_are_what_the_document_says(written: Json) -> None:
    found = 0
    for item in written["paths"].values():
        content = item["get"]["responses"]["200"].get("content", {}).get("application/json", {})
        if "example" in content:
            schema = content["schema"] | {"components": written["components"]}
            jsonschema.Draft202012Validator(schema).validate(content["example"])
            found += 1
    assert found == 5


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Audits) -> None:
    replica = await service.replica()
    await service.send(life(Writer()))
    await replica.drained()
    schema = schemathesis.openapi.from_dict(written)
    for path in written["paths"]:
        for mode in GenerationMode:
            if path != ENDLESS:
                await asyncio.to_thread(fuzz, schema[path]["GET"], mode, str(replica.http.base_url))


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers=headers_for(), checks=CHECKS)

    holds()
