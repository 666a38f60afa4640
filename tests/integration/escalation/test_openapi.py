"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.support import documents
from tests.support.documents import calls_of, hold
from tests.support.escalation import Escalations

Json = dict[str, Any]
EXAMPLES = 8
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
    return documents.written("escalation")


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
    await hold(written, replica.program.url, sorted(calls_of(written)), examples=EXAMPLES)
