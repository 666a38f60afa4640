"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import documents
from tests.support.documents import calls_of, hold
from tests.support.kb_search import Libraries

Json = dict[str, Any]
pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = 8


@pytest.fixture(scope="module")
def written() -> Json:
    return documents.written("kb_search")


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
    await hold(written, replica.program.url, calls_of(written), examples=EXAMPLES)
    await replica.close()
