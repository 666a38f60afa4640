"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.audit.given import Writer, life
from tests.support import documents
from tests.support.audit import Audits
from tests.support.documents import calls_of, hold

Json = dict[str, Any]
EXAMPLES = 12
ENDLESS = "/v1/events/stream"


@pytest.fixture(scope="module")
def written() -> Json:
    return documents.written("audit")


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
    calls = [call for call in calls_of(written) if call[0] != ENDLESS]
    await hold(written, replica.program.url, calls, examples=EXAMPLES)
