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

from tests.support.router import Router, Routers
from tests.support.routing import Routing
from tests.support.serving import HEADERS, Json

EXAMPLES = 8
ORDERS = ("accept", "decline", "pause", "resume", "resolve", "transfer", "abandon", "reopen")
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]


@pytest.fixture(scope="module")
def written() -> Json:
    """The document as the command prints it, without any environment."""
    done = subprocess.run([sys.executable, "-m", "router", "openapi"], env={}, capture_output=True, check=True)
    return dict(orjson.loads(done.stdout))


def test_the_document_names_every_order_with_examples_and_problems(written: Json) -> None:
    paths = written["paths"]
    for verb in ORDERS:
        operation = paths[f"/v1/requests/{{request_id}}/{verb}"]["post"]
        assert operation["requestBody"]["content"]["application/json"]["examples"], verb
        assert {"200", "401", "403", "404", "409", "413", "422", "429", "503"} <= operation["responses"].keys(), verb
    assert {"200", "404"} <= paths["/v1/requests/{request_id}"]["get"]["responses"].keys()


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(
    written: Json, service: Routers, desk: Routing
) -> None:
    await desk.key()
    await desk.contact("r-1")
    router = await service.replica()
    schema = schemathesis.openapi.from_dict(written)
    for path, item in written["paths"].items():
        if path.startswith("/v1/requests/"):
            for method in item:
                for mode in GenerationMode:
                    await asyncio.to_thread(fuzz, schema[path][method.upper()], mode, router.program.url)


def fuzz(operation: Any, mode: GenerationMode, url: str) -> None:
    """Calls one operation with cases that are made to be right, or wrong, by its schema."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            # Made-up ids are unknown: half of the calls are about a request that there is.
            case.path_parameters = {"request_id": "r-1"} if len(str(case.body)) % 2 else case.path_parameters
        case.call_and_validate(base_url=url, headers=HEADERS, checks=CHECKS)

    holds()


async def test_the_examples_are_taken_one_after_the_other(written: Json, desk: Routing, router: Router) -> None:
    """They tell one agent's day with a request, so each is given in a state that takes it."""
    await desk.key()
    await router.agent("ada", channels={"voice": 2}, queues=["default", "cards"])
    await desk.contact("r-1")

    async def given_(verb: str) -> str:
        path = f"/v1/requests/{{request_id}}/{verb}"
        operation = written["paths"][path]["post"]
        body = operation["requestBody"]["content"]["application/json"]["examples"]["usual"]["value"]
        told = operation["responses"]["200"]["content"]["application/json"]["examples"]["usual"]["value"]
        answer = await router.http.post(path.format(request_id="r-1"), json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == told.keys()
        return str(answer.json()["state"])

    await router.comes("r-1", state="offered")
    assert [await given_(verb) for verb in ("accept", "pause", "resume")] == ["connected", "paused", "connected"]
    assert await given_("transfer") == "waiting"
    await router.comes("r-1", state="offered", queue="cards")
    assert await given_("accept") == "connected"
    assert await given_("resolve") == "resolved"
    assert await given_("reopen") == "waiting"
    await router.comes("r-1", state="offered")
    assert await given_("decline") == "waiting"
    assert await given_("abandon") == "abandoned"
