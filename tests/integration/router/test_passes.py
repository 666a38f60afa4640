"""Passes over queues on a real PostgreSQL: who is offered what, under the lease, against everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from events.contacts.past import Target
from router.adapters import lease as leases
from router.domain.agents import Profile
from router.domain.fitting import NOBODY, Absent, Worker
from router.domain.matching import Matched, Waiting, match
from router.domain.policies import Policy
from tests.router.given import accept, decline, pause, resolve, transfer
from tests.support.floor import Floor
from tests.support.routing import Routing, locked
from tests.support.until import until

SECOND_US = 1_000_000


@pytest.fixture
def floor(desk: Routing) -> Floor:
    return Floor(desk)


class Counting:
    """A matcher that notes how many requests it was shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def __call__(
        self,
        waiting: Iterable[Waiting],
        workers: Iterable[Worker],
        policy: Policy,
        *,
        now_us: int,
        absent: Absent = NOBODY,
        most: int = 200,
    ) -> Matched:
        requests = list(waiting)
        self.shown.append(len(requests))
        return match(requests, workers, policy, now_us=now_us, absent=absent, most=most)


async def waits_for_lock(desk: Routing) -> bool:
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return bool(await desk.rows(waiting))


async def test_a_pass_offers_by_priority_then_age_to_who_is_idle_for_longest(floor: Floor, desk: Routing) -> None:
    now_us = desk.clock.now_us()
    await floor.agent("ada")
    await floor.agent("bob")
    for n, (request_id, priority) in enumerate([("old", 0), ("young", 0), ("urgent", 50)]):
        await desk.contact(request_id, at=now_us + n, priority=priority)
    assert (await floor.go_over()).offers == 2
    holders = {request_id: await floor.holder(request_id) for request_id in ("urgent", "old", "young")}
    assert holders == {"urgent": "ada", "old": "bob", "young": None}


async def test_whoever_comes_back_is_idle_from_then_on_and_a_new_profile_changes_nothing_of_it(
    floor: Floor, desk: Routing
) -> None:
    for agent_id in ("ada", "bob"):
        await floor.agent(agent_id)
        floor.move(SECOND_US)
    await floor.roster.change_presence("ada", "away")
    await floor.roster.change_presence("ada", "available")
    await floor.roster.put("bob", Profile(name="Robert", channels={"voice": 1}))
    await desk.contact("r-1")
    await floor.go_over()
    assert await floor.holder("r-1") == "bob"


async def test_an_offer_says_why_and_until_when_it_stands(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    await floor.agent("eve", "away")
    await floor.policy(offer_timeout_us=7 * SECOND_US)
    await desk.contact("r-1")
    await floor.go_over()
    shown = await desk.store.shown("r-1")
    assert shown is not None
    assert shown.request.lapses_us == desk.clock.now_us() + 7 * SECOND_US
    assert shown.decision is not None
    assert (shown.decision["policy_version"], shown.decision["excluded_counts"]) == (2, {"away": 1})
    assert [each["agent_id"] for each in shown.decision["candidates"]] == ["ada"]


async def test_the_record_tells_of_all_agents_of_the_queue_and_of_no_other(floor: Floor, desk: Routing) -> None:
    await floor.agent("busy", auto_accept=True)
    await desk.contact("r-0")
    await floor.go_over()
    for agent_id, presence in (("away", "away"), ("gone", "offline"), ("home", "offline")):
        await floor.agent(agent_id, "away" if presence == "away" else "offline")
    await floor.agent("ada")
    await floor.agent("lead", tier=2)
    await floor.agent("stranger", "away", queues=("other",))
    await desk.contact("r-1")
    await floor.go_over()
    shown = await desk.store.shown("r-1")
    assert shown is not None
    assert shown.decision is not None
    told = {each["agent_id"]: each["reason"] for each in shown.decision["excluded"]}
    assert told == {"lead": "tier", "away": "away", "busy": "full", "gone": "offline", "home": "offline"}
    assert shown.decision["excluded_counts"] == {"tier": 1, "away": 1, "full": 1, "offline": 2}


async def test_who_accepts_by_himself_is_connected_in_the_same_pass(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada", auto_accept=True)
    await desk.contact("r-1")
    await floor.go_over()
    assert await desk.types("r-1") == ["Routed", "Connected"]
    assert await floor.state("r-1") == "connected"


async def test_of_each_shape_no_more_is_read_than_there_are_units_for_it(desk: Routing) -> None:
    counting = Counting()
    floor = Floor(desk, matcher=counting)
    await floor.agent("ada", channels={"voice": 2, "chat": 1}, skills={"card": 1})
    asked: list[dict[str, Any]] = [{}, {"channel": "chat"}, {"skills": ["card"]}, {"skills": ["loan"]}]
    for n in range(8):
        for m, facts in enumerate(asked):
            await desk.contact(f"r-{m}-{n}", **facts)
    await floor.go_over()
    assert counting.shown == [2 + 1 + 2]


async def test_nothing_is_read_of_who_waits_where_nobody_is_free(desk: Routing) -> None:
    counting = Counting()
    floor = Floor(desk, matcher=counting)
    await floor.agent("ada", "away")
    await desk.contact("r-1")
    assert (await floor.go_over()).offers == 0
    assert counting.shown == [0]


async def test_a_declined_request_goes_to_another_and_to_the_same_one_only_later(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    await desk.contact("r-1")
    await floor.go_over()
    await desk.order("r-1", decline("ada"))
    passed = await floor.go_over()
    assert (passed.offers, passed.again_s) == (0, 10.0)
    await floor.agent("bob")
    await floor.go_over()
    assert await floor.holder("r-1") == "bob"
    await desk.order("r-1", decline("bob"))
    floor.move(10 * SECOND_US)
    await floor.go_over()
    assert await floor.holder("r-1") == "ada"


async def test_who_is_wanted_by_name_gets_it_and_his_freed_unit_wakes_the_queue_in_which_it_waits(
    floor: Floor, desk: Routing
) -> None:
    await floor.agent("ada")
    await floor.agent("eve", queues=("other",))
    await desk.contact("busy", queue="other")
    await floor.go_over("other")
    await desk.contact("r-1")
    await floor.go_over()
    await desk.order("r-1", accept("ada"))
    await desk.order("r-1", transfer("ada", to=Target(agent_id="eve")))
    assert (await floor.go_over()).offers == 0
    await desk.order("busy", resolve(None))
    assert desk.told[-1].queues == {"default", "other"}
    await floor.go_over()
    assert await floor.holder("r-1") == "eve"


async def test_a_queue_is_one_replicas_until_its_lease_ends(floor: Floor, desk: Routing) -> None:
    other = Floor(desk, "two")
    await floor.agent("ada")
    assert not (await floor.go_over()).elsewhere
    await desk.contact("r-1")
    passed = await other.go_over()
    assert passed.elsewhere
    assert 0 < (passed.again_s or 0) <= 3
    assert await floor.holder("r-1") is None
    await floor.passes.give_back()
    assert (await other.go_over()).offers == 1


async def test_a_lease_from_before_the_servers_clock_was_set_back_is_over(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    await desk.contact("r-1")
    await desk.rows(
        "insert into queues (queue, epoch, holder, until)"
        " values ('default', 7, 'dead', clock_timestamp() + interval '2 hours') returning 1"
    )
    assert (await floor.go_over()).offers == 1


async def test_a_holder_who_was_frozen_while_another_took_over_writes_nothing(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    await desk.contact("r-1")
    session = await locked(desk.db.dsn, "r-1")
    frozen = asyncio.create_task(floor.go_over())
    await until(lambda: waits_for_lock(desk))
    await desk.rows("update queues set until = '-infinity' returning 1")
    async with desk.db.connection() as connection:
        assert await leases.take(connection, "default", "two") is not None
    await session.close()
    assert (await frozen).offers == 0
    assert await desk.types("r-1") == []
    assert await desk.units("ada") == {("voice", 0): (None, 0)}
    assert (await floor.go_over()).elsewhere


async def test_who_leaves_during_a_pass_is_offered_nothing(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    await desk.contact("r-1")
    session = await locked(desk.db.dsn, "r-1")
    passing = asyncio.create_task(floor.go_over())
    await until(lambda: waits_for_lock(desk))
    await floor.roster.change_presence("ada", "offline")
    await session.close()
    passed = await passing
    assert passed.offers == 0
    assert passed.again_s is not None
    assert await desk.types("r-1") == []


async def test_who_leaves_just_after_a_pass_loses_its_offers(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada")
    for n in range(5):
        await desk.contact(f"r-{n}", queue=f"q-{n}")
    await floor.agent("bob", queues=tuple(f"q-{n}" for n in range(5)), channels={"voice": 5})
    await asyncio.gather(*(floor.go_over(f"q-{n}") for n in range(5)), floor.roster.change_presence("bob", "offline"))
    await floor.timers.work()
    assert [await floor.holder(f"r-{n}") for n in range(5)] == [None] * 5
    assert all(holder is None for holder, _ in (await desk.units("bob")).values())


async def test_passes_over_several_queues_at_once_never_give_an_agent_more_than_he_has_room_for(
    desk: Routing,
) -> None:
    queues = ("q-0", "q-1", "q-2")
    floors = [Floor(desk, queue) for queue in queues]
    for n in range(4):
        await floors[0].agent(f"a-{n}", queues=queues, channels={"chat": 2})
    for n in range(18):
        await desk.contact(f"r-{n}", queue=queues[n % 3], channel="chat")
    for _ in range(6):
        await asyncio.gather(*(floor.go_over(queue) for floor, queue in zip(floors, queues, strict=True)))
    held = await desk.rows("select agent_id, count(*) as n from units where holder is not null group by 1 order by 1")
    assert [(row["agent_id"], row["n"]) for row in held] == [(f"a-{n}", 2) for n in range(4)]
    routed = await desk.rows("select count(*) as n from events where type = 'Routed'")
    assert routed[0]["n"] == 8


async def test_an_agent_whose_capacity_was_lowered_keeps_what_he_has_and_gets_nothing_until_he_has_room(
    floor: Floor, desk: Routing
) -> None:
    await floor.agent("ada", channels={"chat": 3}, auto_accept=True)
    for n in range(5):
        await desk.contact(f"r-{n}", channel="chat")
    await floor.go_over()
    await floor.roster.put("ada", Profile(name="ada", channels={"chat": 1}, auto_accept=True))
    assert [await floor.state(f"r-{n}") for n in range(5)] == ["connected"] * 3 + ["waiting"] * 2
    for n in range(2):
        await desk.order(f"r-{n}", resolve("ada"))
        assert (await floor.go_over()).offers == 0
    await desk.order("r-2", resolve("ada"))
    await floor.go_over()
    assert [await floor.state(f"r-{n}") for n in (3, 4)] == ["connected", "waiting"]


async def test_the_database_itself_gives_out_no_unit_while_more_is_held_than_the_capacity_of_today(
    floor: Floor, desk: Routing
) -> None:
    await floor.agent("ada", channels={"chat": 2}, auto_accept=True)
    for n in range(2):
        await desk.contact(f"r-{n}", channel="chat")
    await floor.go_over()
    await floor.roster.put("ada", Profile(name="ada", channels={"chat": 1}))
    holders = {holder: n for (_, n), (holder, _) in (await desk.units("ada")).items()}
    low = next(holder for holder, n in holders.items() if n == 0)
    await desk.order(str(low), resolve("ada"))
    await desk.contact("r-2", channel="chat")
    assert (await desk.offer("r-2", "ada", 0)).lost == {"r-2"}


async def test_where_much_waits_a_pass_still_reads_by_the_index_alone(desk: Routing) -> None:
    floor = Floor(desk)
    await floor.agent("ada")
    await desk.contact("r-1")
    await desk.rows(_MANY)
    await desk.rows("analyze requests")
    plan = "\n".join(str(row["QUERY PLAN"]) for row in await desk.rows(f"explain {_HEADS}"))
    assert "requests_waiting" in plan
    assert "Seq Scan" not in plan
    assert (await floor.go_over()).offers == 1
    assert await floor.holder("r-1") == "ada"


_MANY = """
with made as (
    insert into requests (request_id, state, leg, cycle, queue, tier, channel, customer_id, key_id, priority, severity,
                          support_level, skills, received_us, last_us)
    select 'm-' || n, state, leg, cycle, queue, tier, channel, customer_id, key_id, priority, severity, support_level,
           skills, received_us + n, last_us + n
    from requests, generate_series(1, 5000) n where request_id = 'r-1'
    returning 1)
select count(*) from made
"""
_HEADS = """
select request_id from requests
where state = 'waiting' and queue = 'default' and tier = 1 and channel = 'voice'
  and shape = shape_of(null, '{}', null) and not avoided
order by priority desc, received_us, request_id limit 1
"""


async def test_a_paused_contact_still_takes_its_agents_unit(floor: Floor, desk: Routing) -> None:
    await floor.agent("ada", auto_accept=True)
    await desk.contact("r-1")
    await floor.go_over()
    await desk.order("r-1", pause("ada"))
    await desk.contact("r-2")
    assert (await floor.go_over()).offers == 0


async def test_all_queues_in_which_somebody_waits_are_found(floor: Floor, desk: Routing) -> None:
    assert list(await floor.passes.stirring()) == []
    for n, queue in enumerate(["b", "a", "b", "c"]):
        await desk.contact(f"r-{n}", queue=queue)
    await desk.order("r-3", resolve(None))
    assert list(await floor.passes.stirring()) == ["a", "b"]
