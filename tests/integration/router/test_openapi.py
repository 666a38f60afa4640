"""The OpenAPI document holds: whatever is made from it is answered as it says."""

from __future__ import annotations

from typing import Any

import pytest
from schemathesis import Case

from tests.support import documents
from tests.support.documents import calls_of, hold
from tests.support.router import Router, Routers
from tests.support.routing import Routing
from tests.support.serving import Json

EXAMPLES = 8
ORDERS = ("accept", "decline", "pause", "resume", "resolve", "transfer", "abandon", "reopen")


@pytest.fixture(scope="module")
def written() -> Json:
    return documents.written("router")


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
    calls = [call for call in calls_of(written) if call[0].startswith("/v1/requests/")]
    await hold(written, router.program.url, calls, examples=EXAMPLES, strictly=True, shaped=about_a_known_one)


def about_a_known_one(case: Case[Any]) -> None:
    """Made-up ids are unknown: half of the calls are about a request that there is."""
    case.path_parameters = {"request_id": "r-1"} if len(str(case.body)) % 2 else case.path_parameters


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
