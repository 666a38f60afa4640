"""What the OpenAPI document says of agents, queues and policies holds: whatever is made from it is answered so."""

from __future__ import annotations

import pytest

from tests.support import documents
from tests.support.documents import calls_of, hold
from tests.support.router import Routers
from tests.support.serving import Json

EXAMPLES = 8
ENDLESS = "/v1/agents/{agent_id}/stream"


@pytest.fixture(scope="module")
def written() -> Json:
    return documents.written("router")


async def test_whatever_is_made_from_the_document_is_answered_as_it_says(written: Json, service: Routers) -> None:
    router = await service.replica()
    await router.agent("ada")
    calls = [call for call in calls_of(written) if call[0].startswith(("/v1/agents", "/v1/queues"))]
    await hold(
        written, router.program.url, [call for call in calls if call[0] != ENDLESS], examples=EXAMPLES, strictly=True
    )


async def test_the_examples_are_taken(written: Json, service: Routers) -> None:
    router = await service.local()
    for path in ("/v1/agents/{agent_id}", "/v1/agents/{agent_id}/presence", "/v1/queues/{queue}/policy"):
        content = written["paths"][path]["put"]["requestBody"]["content"]["application/json"]
        answer = await router.http.put(
            path.format(agent_id="ada", queue="q"), json=content["examples"]["usual"]["value"]
        )
        assert answer.status_code == 200, answer.text
