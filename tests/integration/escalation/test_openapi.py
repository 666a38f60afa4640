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

from tests.support.escalation import Escalations
from tests.support.serving import TOKEN

Json = dict[str, Any]
EXAMPLES = 8
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
OPERATIONS = {
    ("/v1/requests/{request_id}/escalations", "POST"),
    ("/v1/requests/{request_id}/clocks", "GET"),
    ("/v1/breaches", "GET"),
    ("/v1/policies/sla/{name}", "GET"),
    ("/v1/policies/sla/{name}", "PUT"),
    ("/v1/calendars/{name}", "GET"),
    ("/v1/calendars/{name}", "PUT"),
}


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "escalation", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


def test_the_document_names_every_route_with_its_refusals(written: Json) -> None:
    found = {(path, method.upper()): said for path, item in written["paths"].items() for method, said in item.items()}
    assert found.keys() == OPERATIONS
    for place, operation in found.items():
        assert {"401", "403", "422", "503"} <= operation["responses"].keys(), place
    assert {"404", "409"} <= found["/v1/requests/{request_id}/escalations", "POST"]["responses"].keys()


@pytest.mark.parametrize("name", ["EscalationOrder", "PolicyDraft", "CalendarDraft"])
def test_the_examples_are_what_the_document_says(written: Json, name: str) -> None:
    schema = written["components"]["schemas"][name]
    (example,) = schema["examples"]
    jsonschema.Draft202012Validator(schema | {"components": written["components"]}).validate(example)


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Escalations) -> None:
    replica = await service.replica()
    schema = schemathesis.openapi.from_dict(written)
    for path, method in sorted(OPERATIONS):
        for mode in GenerationMode:
            await asyncio.to_thread(fuzz, schema[path][method], mode, str(replica.http.base_url))


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, checks=CHECKS)

    holds()
