"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import schemathesis
from schemathesis import GenerationMode, SerializationContext

from tests.support import documents
from tests.support.documents import calls_of, hold
from tests.support.intake import Intakes
from tests.support.serving import Json

EXAMPLES = 30
OF_LINES = ("/v1/contacts:batch", "/v1/imports")


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_context: SerializationContext, value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


@pytest.fixture(scope="module")
def written() -> Json:
    return documents.written("intake")


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
    # Of lines any text is an answer's worth: only a line can be wrong, and it is answered by itself.
    calls = [call for call in calls_of(written) if call[0] not in OF_LINES or call[2] is GenerationMode.POSITIVE]
    await hold(written, intake.program.url, calls, examples=EXAMPLES, strictly=True)


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
