"""What the router takes from the log: what begins, what escalates, what reopens, and what is passed over."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest

from chassis.caution import RecordFailed
from chassis.commands import Use
from chassis.errors import Conflict, NotFound
from events.contacts import ContactReceived, Customer, Escalated, MessageReceived, Resolved
from router.domain.follow import ESCALATION, INTAKE
from router.domain.request import SOURCE
from tests.router.given import abandon, accept, pause, reopen, resolve
from tests.support.routing import Routing
from tests.support.until import until

HOUR_US = 3_600_000_000
HOLD = "select 1 from agents where agent_id = $1 for no key update"


async def connected(desk: Routing, request_id: str = "r-1", agent_id: str = "ada") -> None:
    await desk.agent(agent_id)
    await desk.contact(request_id)
    await desk.offer(request_id, agent_id)
    await desk.order(request_id, accept(agent_id))


def escalated(to_tier: int = 2, cycle: int = 1) -> Escalated:
    return Escalated(to_tier=to_tier, cycle=cycle, leg=1, by="chief")


async def state(desk: Routing, request_id: str = "r-1") -> tuple[str | None, int]:
    standing = (await desk.request(request_id)).standing
    return standing.state, standing.tier


async def test_an_imported_contact_is_no_request_here(desk: Routing) -> None:
    said = ContactReceived(channel="voice", customer=Customer(id="c-1"), customer_id="c-1")
    await desk.take(desk.record(said, "r-1", source="/imports"))
    with pytest.raises(NotFound):
        await desk.order("r-1", abandon())


async def test_a_contact_that_stands_in_the_log_twice_begins_one_request(desk: Routing) -> None:
    said = ContactReceived(channel="voice", customer=Customer(id="c-1"), customer_id="c-1")
    record = desk.record(said, "r-1", source=INTAKE)
    await desk.take(record, record)
    await desk.order("r-1", abandon())
    await desk.take(record)
    assert await state(desk) == ("abandoned", 1)


async def test_a_queues_policy_gives_the_start_tier_at_once(desk: Routing) -> None:
    policy = (
        '{"queue": "cards", "version": 2, "offer_timeout_us": 1, "reoffer_after_us": 1, "offline_grace_us": 1, '
        '"start_tiers": [{"tier": 2, "match": {"severities": [1]}}]}'
    )
    await desk.rows("insert into policies values ('cards', 2, $1) returning 1", policy.encode())
    assert (await desk.contact("r-1", queue="cards", severity=1)).standing.tier == 2
    assert (await desk.contact("r-2", queue="cards", severity=2)).standing.tier == 1
    assert (await desk.types("r-1"), await desk.types("r-2")) == (["Requeued"], [])
    assert desk.told[-1].queues == {"cards"}


async def test_a_queue_that_no_index_has_room_for_fails_by_itself_and_holds_up_nobody(desk: Routing) -> None:
    draw = random.Random(1)
    name = "".join(draw.choice("0123456789abcdef") for _ in range(20_000))
    said = ContactReceived(channel="voice", customer=Customer(id="c-1"), customer_id="c-1", queue=name)
    with pytest.raises(RecordFailed):
        await desk.take(desk.record(said, "r-1", source=INTAKE))


async def test_an_escalation_frees_the_agent_and_names_its_cause(desk: Routing) -> None:
    await connected(desk)
    record = desk.record(escalated(), "r-1", source=ESCALATION, at=desk.clock.now_us() + 5_000)
    await desk.take(record)
    assert await state(desk) == ("waiting", 2)
    assert [holder for holder, _ in (await desk.units("ada")).values()] == [None]
    (event,) = await desk.rows("select causation_id::text, occurred_us, payload from events where type = 'Requeued'")
    assert event["causation_id"].encode() == dict(record.headers)["ce_id"]
    assert event["occurred_us"] == desk.clock.now_us() + 5_001


async def test_an_escalation_that_comes_twice_moves_the_request_once(desk: Routing) -> None:
    await connected(desk)
    record = desk.record(escalated(), "r-1", source=ESCALATION)
    another = desk.record(escalated(), "r-1", source=ESCALATION)
    await desk.take(record, record, another)
    assert (await desk.types("r-1")).count("Requeued") == 1


async def test_an_escalation_that_comes_late_or_in_another_cycle_stands_without_effect(desk: Routing) -> None:
    await connected(desk)
    await desk.order("r-1", resolve("ada"))
    await desk.take(desk.record(escalated(), "r-1", source=ESCALATION))
    assert await state(desk) == ("resolved", 1)
    await desk.order("r-1", reopen())
    await desk.take(desk.record(escalated(cycle=1), "r-1", source=ESCALATION))
    assert await state(desk) == ("waiting", 1)
    await desk.take(desk.record(escalated(cycle=2), "r-1", source=ESCALATION))
    assert await state(desk) == ("waiting", 2)


@pytest.mark.parametrize("source", ["/imports", INTAKE, "/services/elsewhere"])
async def test_only_escalation_escalates(desk: Routing, source: str) -> None:
    await connected(desk)
    await desk.take(desk.record(escalated(), "r-1", source=source))
    assert await state(desk) == ("connected", 1)


async def test_a_follow_up_reopens_a_closed_request(desk: Routing) -> None:
    await connected(desk)
    await desk.order("r-1", resolve("ada"))
    desk.clock.move(1_000_000)
    await desk.take(desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE))
    assert (await desk.types("r-1"))[-1] == "Reopened"
    assert (await desk.request("r-1")).standing.cycle == 2


async def test_a_follow_up_on_an_open_request_only_moves_what_is_known_of_its_times(desk: Routing) -> None:
    await connected(desk)
    ahead = desk.clock.now_us() + HOUR_US
    await desk.take(desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE, at=ahead))
    await desk.order("r-1", pause("ada"))
    assert (await desk.events("r-1"))[-1] == ("Paused", ahead + 1)


async def test_a_router_that_was_two_hours_ahead_swallows_no_follow_up(desk: Routing) -> None:
    await connected(desk)
    desk.clock.move(2 * HOUR_US)
    await desk.order("r-1", resolve("ada"))
    version = (await desk.request("r-1")).version
    desk.clock.move(-2 * HOUR_US)
    closing = desk.record(Resolved(), "r-1", source=SOURCE, sequence=version)
    await desk.take(closing, desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE))
    assert (await desk.types("r-1"))[-1] == "Reopened"
    times = [at for _, at in await desk.events("r-1")]
    assert times == sorted(set(times))


async def test_a_message_of_before_the_closing_that_comes_late_does_not_reopen(desk: Routing) -> None:
    await connected(desk)
    message = desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE)
    desk.clock.move(1_000_000)
    await desk.order("r-1", resolve("ada"))
    await desk.take(message)
    assert await state(desk) == ("resolved", 1)


async def test_the_closing_of_an_earlier_cycle_says_nothing_of_this_one(desk: Routing) -> None:
    await connected(desk)
    await desk.order("r-1", resolve("ada"))
    first = (await desk.request("r-1")).version
    await desk.order("r-1", reopen())
    message = desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE)
    desk.clock.move(1_000_000)
    await desk.order("r-1", abandon())
    await desk.take(desk.record(Resolved(), "r-1", source=SOURCE, sequence=first), message)
    assert await state(desk) == ("abandoned", 1)


async def test_of_an_escalation_and_a_resolution_at_once_both_orders_end_well(desk: Routing) -> None:
    await connected(desk)
    record = desk.record(escalated(), "r-1", source=ESCALATION)
    resolution = desk.order("r-1", resolve("ada"))
    _, answer = await asyncio.gather(desk.take(record), resolution, return_exceptions=True)
    types = await desk.types("r-1")
    if isinstance(answer, Conflict):
        assert types == ["Routed", "Connected", "Requeued"]
    else:
        assert types == ["Routed", "Connected", "Resolved"]


async def test_a_batch_of_escalations_takes_the_agents_in_the_order_of_their_ids(desk: Routing) -> None:
    for n in (1, 7):
        await connected(desk, f"r-{n}", f"a-{n}")
    other = await asyncpg.connect(desk.db.dsn)
    await other.execute("begin")
    await other.execute(HOLD, "a-1")
    batch = asyncio.ensure_future(desk.take(*(desk.record(escalated(), f"r-{n}", source=ESCALATION) for n in (7, 1))))
    await until(desk.somebody_waits, what="the batch waits for a-1")
    # Had it taken a-7 before, the two would wait for one another.
    await other.execute(HOLD, "a-7")
    await other.execute("rollback")
    await batch
    assert {await state(desk, f"r-{n}") for n in (1, 7)} == {("waiting", 2)}
    await other.close()


async def test_a_key_gives_the_first_answer_whatever_has_happened_since(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    await desk.offer("r-1", "ada")
    use = Use("POST /v1/requests/r-1/accept", "k", b"hash")
    first = await desk.order("r-1", accept("ada"), use)
    await desk.order("r-1", resolve("ada"))
    assert await desk.order("r-1", accept("ada"), use) == first
    with pytest.raises(Conflict):
        await desk.order("r-1", accept("ada"))


async def test_a_refusal_is_not_remembered(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    use = Use("POST /v1/requests/r-1/accept", "k", b"hash")
    with pytest.raises(Conflict):
        await desk.order("r-1", accept("ada"), use)
    await desk.offer("r-1", "ada")
    assert (await desk.order("r-1", accept("ada"), use))["state"] == "connected"
