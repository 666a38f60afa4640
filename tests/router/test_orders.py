"""Orders carried out: what is answered, what is refused and how, what is written."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from chassis.commands import Use
from chassis.errors import Conflict, Invalid, NotFound, Overloaded
from events.contacts.past import Target
from router.app.orders import Orders
from router.domain.commands import Command
from router.domain.request import Request
from tests.router.given import abandon, accept, connected_to, offered_to, resolve, resolved_by, transfer, waiting
from tests.router.memory import MemoryRequests
from tests.support.clocks import SetClock

USE = Use("POST /v1/requests/r-1/accept", "k-1", b"hash")


class Scene:
    def __init__(self, request: Request | None = None) -> None:
        self.store = MemoryRequests()
        self.orders = Orders(self.store, SetClock())
        if request is not None:
            self.store.requests[request.request_id] = request

    async def order(self, command: Command, use: Use | None = None, request_id: str = "r-1") -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(await self.orders.carry_out(request_id, command, use))
        return answer


async def test_an_order_is_answered_with_the_state_the_version_and_its_event() -> None:
    command = accept("ada")
    answer = await Scene(offered_to("ada")).order(command)
    assert answer == {"request_id": "r-1", "state": "connected", "version": 2, "event_id": command.event_id}


async def test_a_refusal_tells_the_state_and_who_has_the_request() -> None:
    with pytest.raises(Conflict) as refused:
        await Scene(offered_to("ada")).order(accept("bob"))
    assert (refused.value.state, refused.value.holder) == ("offered", "ada")
    with pytest.raises(Conflict) as refused:
        await Scene(resolved_by("ada")).order(abandon())
    assert (refused.value.state, refused.value.holder) == ("resolved", None)


async def test_a_repeat_writes_nothing_and_shows_how_it_stands_now() -> None:
    scene = Scene(offered_to("ada"))
    first = await scene.order(accept("ada"))
    assert await scene.order(accept("ada")) == first
    assert len(scene.store.moves) == 1


async def test_what_is_not_known_here_takes_no_order_and_is_not_shown() -> None:
    with pytest.raises(NotFound):
        await Scene().order(accept("ada"))
    with pytest.raises(NotFound):
        await Scene().orders.look("r-1")


async def test_a_transfer_to_somebody_whom_nobody_registered_is_not_valid() -> None:
    scene = Scene(connected_to("ada"))
    with pytest.raises(Invalid) as refused:
        await scene.order(transfer("ada", to=Target(agent_id="nobody")))
    assert refused.value.errors[0]["field"] == "to.agent_id"
    assert scene.store.moves == []
    scene.store.agents.add("bob")
    assert (await scene.order(transfer("ada", to=Target(agent_id="bob"))))["state"] == "waiting"


async def test_a_key_gives_the_first_answer_whatever_has_happened_since() -> None:
    scene = Scene(offered_to("ada"))
    first = await scene.order(accept("ada"), USE)
    await scene.order(resolve("ada"))
    assert await scene.order(accept("ada"), USE) == first


async def test_a_refusal_is_not_remembered_under_its_key() -> None:
    scene = Scene(waiting())
    with pytest.raises(Conflict):
        await scene.order(accept("ada"), USE)
    scene.store.requests["r-1"] = offered_to("ada")
    assert (await scene.order(accept("ada"), USE))["state"] == "connected"


async def test_what_is_too_much_is_refused_at_once_and_what_was_let_in_is_carried_out() -> None:
    scene = Scene(offered_to("ada"))
    orders = Orders(scene.store, SetClock(), most=2)
    async with scene.store.held("r-1"):
        let_in = [asyncio.ensure_future(orders.carry_out("r-1", accept("ada"), None)) for _ in range(2)]
        await asyncio.sleep(0)  # they wait for the request now
        with pytest.raises(Overloaded):
            await asyncio.wait_for(orders.carry_out("r-1", accept("ada"), USE), 5)
    answers = {await each for each in let_in}
    assert answers == {await orders.carry_out("r-1", accept("ada"), USE)}
