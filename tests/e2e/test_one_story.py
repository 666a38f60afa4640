"""Races on the five services, and kills in mid-work: one winner, nothing lost or doubled, one story by all three."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from chassis.clock import SystemClock
from events.times import to_us
from tests.e2e.product import Product
from tests.e2e.told_alike import Story, Witnesses
from tests.support.until import until
from throughline.demo.playing import new_run
from throughline.demo.wire import Wire, connected

ROUNDS = range(10)
LIVES = 12
CONFLICT = 409
LONG_US, SHORT_US = 3_600_000_000, 1_500_000
LAPSE_ODDS_US, ESCALATION_ODDS_US = 10_000, 6_000
"""By so much from round to round the one side of a race is later, so that either may win."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request in a queue of its own, and the one agent there."""

    wire: Wire
    request_id: str
    agent_id: str

    async def order(self, verb: str, **body: Any) -> httpx.Response:
        """Whatever comes of it."""
        return await self.wire.command("router", f"/v1/requests/{self.request_id}/{verb}", body, but={CONFLICT})

    async def by_agent(self, verb: str, **body: Any) -> httpx.Response:
        return await self.order(verb, agent_id=self.agent_id, **body)

    async def goes_offline(self) -> None:
        await self.wire.put("router", f"/v1/agents/{self.agent_id}/presence", {"status": "offline"})

    async def view(self) -> dict[str, Any]:
        """As the router tells it; empty before it has heard of it."""
        answer = await self.wire.call("router", "GET", f"/v1/requests/{self.request_id}", but={404})
        return dict(answer.json()) if answer.is_success else {}

    async def looked_at_until(self, moment_us: int) -> None:
        """It is looked at, again and again, up to a moment."""
        while SystemClock().now_us() < moment_us:
            await self.view()


class Bank:
    """One run's wire to a stack, and those who tell how its requests stand."""

    def __init__(self, wire: Wire, witnesses: Witnesses) -> None:
        self.wire = wire
        self.witnesses = witnesses

    async def agent(self, agent_id: str, queue: str, *, tier: int = 1, units: int = 1) -> None:
        """One who is there."""
        path, body = (
            f"/v1/agents/{agent_id}",
            {"name": "x", "queues": [queue], "tier": tier, "channels": {"chat": units}},
        )
        await self.wire.put("router", path, body)
        await self.wire.put("router", f"{path}/presence", {"status": "available"})

    async def contact(self, queue: str, **facts: Any) -> str:
        contact = {"channel": "chat", "queue": queue, "customer": {"id": f"c-{self.wire.new_key()}"}} | facts
        return str((await self.wire.command("intake", "/v1/contacts", contact)).json()["request_id"])

    async def offered(self, offer_us: int = LONG_US) -> Case:
        """A request that was offered to its agent, who is not asked again once he let it go."""
        name = self.wire.new_key()
        policy = {"offer_timeout_us": offer_us, "reoffer_after_us": LONG_US}
        await self.wire.put("router", f"/v1/queues/{name}/policy", policy)
        await self.agent(name, name)
        case = Case(self.wire, await self.contact(name), name)

        async def was_offered() -> bool:
            return (await case.view()).get("decision") is not None

        await until(was_offered, 20, f"{case.request_id} is offered")
        return case

    async def connected(self) -> Case:
        case = await self.offered()
        assert (await case.by_agent("accept")).is_success
        return case

    async def story(self, case: Case) -> Story:
        return await self.witnesses.story(case.request_id)


@pytest.fixture
async def bank(product: Product) -> AsyncIterator[Bank]:
    dsn = product.facts()["postgres"]["escalation"]
    async with (
        connected(product.reached(), new_run()) as wire,
        asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool,
    ):
        yield Bank(wire, Witnesses(wire, pool))


async def meet(n: int, *acts: Awaitable[Any]) -> list[Any]:
    """At once, in either order to begin with."""
    if n % 2:
        return list(reversed(await asyncio.gather(*reversed(acts))))
    return list(await asyncio.gather(*acts))


async def test_an_accept_against_the_offers_expiry(bank: Bank) -> None:
    async def round_(n: int) -> None:
        case = await bank.offered(SHORT_US)
        decided_us = to_us((await case.view())["decision"]["decided_at"])
        await case.looked_at_until(decided_us + SHORT_US + (n - 3) * LAPSE_ODDS_US)
        accepted = (await case.by_agent("accept")).is_success
        story = await bank.story(case)
        if accepted:
            assert story.course == ["ContactReceived", "Routed", "Connected"]
            assert_stands(story, "connected", 1, case.agent_id)
        else:
            assert story.course == ["ContactReceived", "Routed", "OfferClosed"]
            assert_stands(story, "waiting", 2, None)

    await asyncio.gather(*map(round_, ROUNDS))


async def test_an_escalation_against_a_resolution(bank: Bank) -> None:
    async def round_(n: int) -> None:
        case = await bank.connected()
        path, order = f"/v1/requests/{case.request_id}/escalations", {"by": case.agent_id, "reason": "too hard"}
        began_us = SystemClock().now_us()

        async def resolves() -> bool:
            await case.looked_at_until(began_us + n * ESCALATION_ODDS_US)
            return (await case.by_agent("resolve", code="done")).is_success

        asked, resolved = await meet(n, bank.wire.once_known("escalation", path, order, but={CONFLICT}), resolves())
        story = await bank.story(case)
        begin = ["ContactReceived", "Routed", "Connected"]
        if resolved:
            assert story.course == [*begin, "Resolved"]
            assert_stands(story, "resolved", 1, None)
        else:
            assert asked.is_success
            assert story.course == [*begin, "Escalated", "Requeued"]
            assert_stands(story, "waiting", 2, None, tier=2)
        assert story.types.count("Escalated") == asked.is_success

    await asyncio.gather(*map(round_, ROUNDS))


async def test_an_abandonment_against_an_accept(bank: Bank) -> None:
    async def round_(n: int) -> None:
        case = await bank.offered()
        gone, accepted = await meet(n, case.order("abandon", reason="left"), case.by_agent("accept"))
        assert gone.is_success, "the customer may go whoever has him"
        story = await bank.story(case)
        between = ["Connected"] if accepted.is_success else []
        assert story.course == ["ContactReceived", "Routed", *between, "Abandoned"]
        assert_stands(story, "abandoned", 1, None)

    await asyncio.gather(*map(round_, ROUNDS))


async def test_a_transfer_against_a_resolution(bank: Bank) -> None:
    async def round_(n: int) -> None:
        case = await bank.connected()
        moved, ended = await meet(n, case.by_agent("transfer", to={"tier": 3}), case.by_agent("resolve", code="done"))
        assert moved.is_success is not ended.is_success
        story = await bank.story(case)
        assert story.course == [
            "ContactReceived",
            "Routed",
            "Connected",
            "Transferred" if moved.is_success else "Resolved",
        ]
        if moved.is_success:
            assert_stands(story, "waiting", 2, None, tier=3)
        else:
            assert_stands(story, "resolved", 1, None)

    await asyncio.gather(*map(round_, ROUNDS))


async def test_a_decline_against_a_withdrawal(bank: Bank) -> None:
    async def round_(n: int) -> None:
        case = await bank.offered()
        declined, _ = await meet(n, case.by_agent("decline", reason="busy"), case.goes_offline())
        story = await bank.story(case)
        assert story.course == ["ContactReceived", "Routed", "OfferClosed"]
        (closed,) = [event["data"] for event in story.timeline["events"] if event["type"] == "OfferClosed"]
        assert closed["reason"] == ("declined" if declined.is_success else "withdrawn")
        assert_stands(story, "waiting", 2, None)

    await asyncio.gather(*map(round_, ROUNDS))


LIFE = [
    "ContactReceived",
    "Routed",
    "Connected",
    "Paused",
    "Resumed",
    "Escalated",
    "Requeued",
    "Routed",
    "Connected",
    "Resolved",
]
BESIDE = ["SuggestionShown", "SuggestionUsed", "SlaMet"]


@pytest.mark.parametrize("service", ["router", "escalation", "kb-search"])
async def test_a_kill_in_mid_work_loses_and_doubles_nothing(product: Product, bank: Bank, service: str) -> None:
    queue, word = f"q-{bank.wire.run}", f"w{bank.wire.run}"
    await bank.wire.put("kb-search", f"/v1/articles/a-{word}", {"title": f"The {word}", "body": f"All on the {word}."})
    for tier in (1, 2):
        await bank.agent(f"{queue}-{tier}", queue, tier=tier, units=LIVES)
    lives = asyncio.gather(*(life(bank, queue, word) for _ in range(LIVES)))
    await until(lambda: said_yes(bank, service) >= LIVES // 3 or lives.done(), 30, "they are in mid-work")
    assert not lives.done()
    product.send(service, signal.SIGKILL)
    await asyncio.to_thread(product.up)
    stories = [await bank.witnesses.story(request_id) for request_id in await lives]
    for story in stories:
        assert story.course == LIFE
        assert Counter(story.types) == Counter([*LIFE, *BESIDE])
        assert_stands(story, "resolved", 2, None, tier=2)
    assert set(bank.wire.answered.events) <= set().union(*(story.event_ids for story in stories))


async def life(bank: Bank, queue: str, word: str) -> str:
    """From a contact over a pause and an escalation to a resolution, with an article used; its request."""
    request_id = await bank.contact(queue, subject=word)
    first, second = (Case(bank.wire, request_id, f"{queue}-{tier}") for tier in (1, 2))
    await stands(first, "offered", 1)
    assert (await first.by_agent("accept", leg=1)).is_success
    assert (await first.by_agent("pause", leg=1, reason="hold")).is_success
    assert (await first.by_agent("resume", leg=1)).is_success
    used = f"/v1/requests/{request_id}/suggestions/a-{word}/used"
    await until(lambda: is_shown(bank, request_id), 20, "the article is suggested")
    await bank.wire.once_known("kb-search", used, {"agent_id": first.agent_id})
    escalation = {"by": first.agent_id, "reason": "too hard"}
    await bank.wire.once_known("escalation", f"/v1/requests/{request_id}/escalations", escalation)
    await stands(second, "offered", 2)
    assert (await second.by_agent("accept", leg=2)).is_success
    assert (await second.by_agent("resolve", leg=2, code="done", articles=[f"a-{word}"])).is_success
    return request_id


async def stands(case: Case, state: str, leg: int) -> None:
    async def does() -> bool:
        view = await case.view()
        return (view.get("state"), view.get("leg"), view.get("agent_id")) == (state, leg, case.agent_id)

    await until(does, 30, f"{case.request_id} is {state} to {case.agent_id}")


async def is_shown(bank: Bank, request_id: str) -> bool:
    path = f"/v1/requests/{request_id}/suggestions"
    answer = await bank.wire.call("kb-search", "GET", path, but={404})
    return answer.is_success and bool(answer.json()["items"])


def said_yes(bank: Bank, service: str) -> int:
    """How many orders the service has carried out by now."""
    return sum(what.startswith(f"{service} ") for what in bank.wire.answered.events.values())


def assert_stands(story: Story, state: str, leg: int, agent_id: str | None, *, tier: int = 1) -> None:
    standing = story.standing
    assert (standing["state"], standing["leg"], standing["cycle"]) == (state, leg, 1)
    assert (standing["agent_id"], standing["tier"]) == (agent_id, tier)
