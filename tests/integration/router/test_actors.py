"""Events say who acted: the agent, or else the name of the token that the order came with."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.router import Router
from tests.support.routing import Routing


@pytest.mark.parametrize("verb", ["resolve", "abandon"])
async def test_an_order_that_no_agent_gives_names_the_program(desk: Routing, router: Router, verb: str) -> None:
    await desk.key()
    await desk.contact("r-1")
    await router.done(verb, "r-1")
    await router.done("reopen", "r-1")
    assert [fact["by"] for fact in await facts(desk, "r-1")] == ["tests", "tests"]


async def test_an_agents_order_names_him_alone(desk: Routing, router: Router) -> None:
    await desk.key()
    await router.agent("ada")
    await desk.contact("r-1")
    await router.comes("r-1", state="offered", agent_id="ada")
    await router.done("accept", "r-1", "ada")
    await router.done("resolve", "r-1", "ada")
    told = await facts(desk, "r-1")
    assert [(fact["agent_id"], fact.get("by")) for fact in told] == [("ada", None)] * 3


async def test_agents_and_policies_are_written_by_somebody(desk: Routing, router: Router) -> None:
    await router.agent("ada")
    await router.http.put("/v1/queues/cards/policy", json={"reoffer_after_us": 0})
    told = await facts(desk, "agent:ada") + await facts(desk, "policy:cards")
    assert len(told) == 3
    assert {fact["by"] for fact in told} == {"tests"}


async def facts(desk: Routing, stream: str) -> list[dict[str, Any]]:
    rows = await desk.rows("select payload from events where stream = $1 order by version", stream)
    return [orjson.loads(row["payload"]) for row in rows]
