"""Simulated agents and customers meet services that are late, in another's hands, or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from events.lifecycle import State
from tests.cli.fake_bank import STACK, FakeBank
from tests.support.until import until
from throughline.demo.cases import Case, Cases
from throughline.demo.course import course
from throughline.demo.crew import crew
from throughline.demo.customers import Customers, contact_for
from throughline.demo.desk import Desk
from throughline.demo.plan import Hold, Note, Visit, plan
from throughline.demo.scale import Scale
from throughline.demo.wire import Wire, connected
from throughline.trouble import Unreachable

AGENT = replace(next(agent for agent in crew(1) if agent.tier == 1), channels=(("voice", 1), ("email", 1)))
FAST = Scale(clock=100_000, people=10_000)
SLOW = Scale(clock=100_000, people=200)


def a_visit(**facts: Any) -> Visit:
    """A call that this agent simply accepts and resolves, but for what is given."""
    plain: dict[str, Any] = {
        "needs_tier": 1,
        "transfer_to": None,
        "hold": None,
        "patience_s": None,
        "returns": None,
        "rating": None,
    }
    plain |= {"still_wrong": None, "writes_again": None, "posted_twice": False, "talk_s": 60.0}
    found = (replace(each, **plain) for each in plan(1, 200) if each.channel == "voice" and each.queue == "accounts")
    fitting = next(each for each in found if [step.verb for step in course(each, AGENT, 1, 1)][0:1] == ["accept"])
    return replace(fitting, **facts)


class Bench:
    """One agent at his desk and the customers' side, on services in memory."""

    def __init__(self, bank: FakeBank, wire: Wire, scale: Scale) -> None:
        self.bank, self.wire, self.cases = bank, wire, Cases()
        self.desk = Desk(AGENT, wire, self.cases, scale, seed=1)
        self.customers = Customers(wire, self.cases, scale, asyncio.get_running_loop().time() - 10**6)

    async def contact(self, visit: Visit) -> Case:
        answer = await self.wire.command("intake", "/v1/contacts", contact_for(visit, "t1"))
        return self.cases.open(answer.json()["request_id"], visit)

    def types(self, case: Case) -> list[str]:
        return [record["type"] for record in self.bank.log if record["request_id"] == case.request_id]


@asynccontextmanager
async def bench(scale: Scale = FAST, bank: FakeBank | None = None) -> AsyncIterator[Bench]:
    bank = bank or FakeBank()
    async with connected(STACK, "t1", bank.transport()) as wire:
        made = Bench(bank, wire, scale)
        await made.desk.register()
        await made.desk.be("available")
        work = asyncio.create_task(made.desk.work())
        try:
            yield made
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


async def test_an_offer_is_accepted_and_resolved() -> None:
    async with bench() as made:
        case = await made.contact(a_visit())
        await asyncio.wait_for(case.closed.wait(), 5)
        types = [kind for kind in made.types(case) if kind != "SuggestionUsed"]
        assert types == ["ContactReceived", "Routed", "Connected", "Resolved"]


async def test_an_offer_that_is_known_before_the_gateway_has_its_answer_is_served() -> None:
    async with bench() as made:
        answer = await made.wire.command("intake", "/v1/contacts", contact_for(a_visit(), "t1"))
        await until(lambda: made.bank.standing["r-1"].state == State.OFFERED)
        case = made.cases.open(answer.json()["request_id"], a_visit())
        await asyncio.wait_for(case.closed.wait(), 5)


async def test_who_lost_the_race_does_nothing_more() -> None:
    async with bench(SLOW) as made:
        case = await made.contact(a_visit(talk_s=100.0, hold=Hold(1.0, "hold")))
        await asyncio.wait_for(case.connected.wait(), 5)
        await made.wire.command("router", f"/v1/requests/{case.request_id}/abandon", {"reason": "hung up"})
        await until(lambda: made.cases.happened["pause refused"] == 1)
        after = await made.contact(a_visit(talk_s=100.0))
        await asyncio.wait_for(after.closed.wait(), 5)
        assert made.types(case)[-1] == "Abandoned"
        assert not case.closed.is_set()
        assert {verb for verb in made.cases.happened if verb.endswith("refused")} == {"pause refused"}


async def test_who_is_lost_and_back_goes_on_with_what_he_still_holds() -> None:
    async with bench(SLOW) as made:
        case = await made.contact(a_visit(talk_s=100.0))
        await asyncio.wait_for(case.connected.wait(), 5)
        made.desk.status = "offline"  # the computer fails, and nobody has told the router
        made.desk._drop()
        await made.desk.be("available")
        await asyncio.wait_for(case.closed.wait(), 5)
        assert made.types(case).count("Connected") == 1


class Slow(FakeBank):
    """Carries out a resolve at once and answers it late."""

    def __init__(self) -> None:
        super().__init__()
        self.resolved, self.answers_now = asyncio.Event(), asyncio.Event()

    def transport(self) -> httpx.MockTransport:
        async def answer(request: httpx.Request) -> httpx.Response:
            told = self.answer(request)
            if request.url.path.endswith("/resolve"):
                self.resolved.set()
                await self.answers_now.wait()
            return told

        return httpx.MockTransport(answer)


async def test_a_step_that_was_begun_when_the_computer_failed_is_finished() -> None:
    bank = Slow()
    async with bench(bank=bank) as made:
        case = await made.contact(a_visit())
        await asyncio.wait_for(bank.resolved.wait(), 5)
        made.desk._drop()
        bank.answers_now.set()
        await asyncio.wait_for(case.closed.wait(), 5)


async def test_a_customer_without_patience_hangs_up_and_comes_back_on_another_channel() -> None:
    async with bench() as made:
        await made.desk.be("offline")
        note = Note(1.0, "email", "I gave up on the line.")
        life = asyncio.create_task(made.customers.live(a_visit(patience_s=10.0, returns=note)))
        await until(lambda: any(record["type"] == "Reopened" for record in made.bank.log))
        await made.desk.be("available")
        await asyncio.wait_for(life, 5)
        kinds = [kind for kind in made.types(made.cases.by_id["r-1"]) if kind != "SuggestionUsed"]
        assert kinds[:4] == ["ContactReceived", "Abandoned", "MessageReceived", "Reopened"]
        assert kinds[-1] == "Resolved"


async def test_who_is_on_the_line_does_not_hang_up() -> None:
    async with bench(SLOW) as made:
        life = asyncio.create_task(made.customers.live(a_visit(patience_s=50.0, talk_s=100.0)))
        await asyncio.wait_for(life, 5)
        assert "Abandoned" not in {record["type"] for record in made.bank.log}


async def test_a_gateway_that_posts_twice_makes_one_request() -> None:
    async with bench() as made:
        await asyncio.wait_for(made.customers.live(a_visit(posted_twice=True)), 5)
        assert made.wire.answered.retries == 1
        assert [record["type"] for record in made.bank.log].count("ContactReceived") == 1


class NotYet(FakeBank):
    """Hears of requests late: the first few commands on one are answered 404."""

    def __init__(self, times: int, problem: int = 404) -> None:
        super().__init__()
        self.times, self.problem = times, problem

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.host == "router.test" and self.times:
            self.times -= 1
            kind = "/problems/in-flight" if self.problem == 409 else "/problems/not-found"
            return httpx.Response(self.problem, headers={"Retry-After": "0"}, json={"type": kind})
        return super().answer(request)


async def test_a_404_for_what_was_just_accepted_is_asked_again() -> None:
    async with connected(STACK, "t1", NotYet(3).transport()) as wire:
        await wire.command("intake", "/v1/contacts", contact_for(a_visit(), "t1"))
        assert (await wire.once_known("router", "/v1/requests/r-1/abandon", {"reason": "hung up"})).is_success


async def test_a_key_that_is_still_worked_on_is_asked_again_and_no_conflict() -> None:
    async with connected(STACK, "t1", NotYet(2, problem=409).transport()) as wire:
        await wire.command("intake", "/v1/contacts", contact_for(a_visit(), "t1"))
        answer = await wire.command("router", "/v1/requests/r-1/abandon", {"reason": "hung up"}, but={409})
        assert answer.is_success


async def test_a_service_that_is_gone_ends_the_calls_with_its_name() -> None:
    async with connected(STACK, "t1", FakeBank(gone=("router",)).transport()) as wire:
        wire.patience_s = 0.2
        with pytest.raises(Unreachable, match="router"):
            await wire.get("router", "/v1/agents/hana")
