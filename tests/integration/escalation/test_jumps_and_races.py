"""Clocks that are set, replicas that share the watch, and an escalation against the end of its request."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.support.escalation import SECOND, Escalations, Life, SetClock, key_made, now_us
from tests.support.until import until

HOUR_US = 3_600 * SECOND
LAG = 'throughline_consumer_lag_records{consumer="escalation",'


@pytest.mark.parametrize("jump_us", [2 * HOUR_US, -2 * HOUR_US])
async def test_a_host_whose_clock_is_set_states_nothing_early_and_loses_nothing(
    service: Escalations, jump_us: int
) -> None:
    clock = SetClock()
    replica = await service.local(clock)
    await replica.promise(3)
    await replica.promise(1_800, name="later", match={"queues": ["later"]})
    soon, later = Life(), Life()
    await service.send(soon.received(), later.received(queue="later"))
    await until(lambda: replica.knows(later.request_id), 20)
    clock.offset_us = jump_us
    await until(lambda: stated(service, soon, "SlaBreached"), 20, "the promise is broken at its time")
    (broken,) = await service.facts(soon.request_id)
    due_us = soon.at_us + 3 * SECOND
    assert due_us < broken["occurred_us"] < due_us + 10 * SECOND
    assert await service.stated(later.request_id) == []
    assert (await replica.http.get("/readyz")).json()["checks"]["clock"]["status"] == "degraded"


async def stated(service: Escalations, life: Life, *types: str) -> bool:
    return await service.stated(life.request_id) == list(types)


async def test_two_replicas_share_the_watch_and_state_each_verdict_once(service: Escalations) -> None:
    replicas = [await service.local() for _ in range(2)]
    await replicas[0].promise(2, warn_at_percent=50)
    lives = [Life() for _ in range(40)]
    for life in lives:
        life.at_us = now_us()
    await service.send(*(life.received() for life in lives))
    for life in lives:
        await until(partial(stated, service, life, "SlaWarned", "SlaBreached"), 30, "both verdicts are stated")
    watched = []
    for replica in replicas:
        text = (await replica.http.get("/metrics")).text
        watched += [line for line in text.splitlines() if line.startswith(LAG)]
    assert len(watched) == 4, "void: the two did not share the partitions"
    total = await service.rows("select type, count(*), count(distinct event_id) from events group by 1 order by 1")
    assert [row for row in total if row[0].startswith("Sla") and "Policy" not in row[0]] == [
        ("SlaBreached", 40, 40), ("SlaWarned", 40, 40)
    ]  # fmt: skip


async def test_what_one_replica_has_begun_the_other_ends(service: Escalations) -> None:
    first = await service.replica()
    await first.promise(4)
    life = Life()
    await service.send(life.received())
    await until(lambda: first.knows(life.request_id), 20)
    second = await service.local()
    await first.kill()
    await until(lambda: stated(service, life, "SlaBreached"), 40, "the other has taken the watch over")
    assert [clock["state"] for clock in await second.clocks(life.request_id)] == ["breached"]


async def test_escalate_against_resolve_leaves_one_story(service: Escalations) -> None:
    replica = await service.local()
    await service.send(key_made())
    lives = [Life() for _ in range(12)]
    await service.send(*(event for life in lives for event in (life.received(), life.routed(), life.connected())))
    for life in lives:
        await replica.comes_to_know(life.request_id)
    ends = [life.resolved() for life in lives]
    sending = asyncio.create_task(service.send(*ends))
    answers = {}
    for life in lives:
        answers[life.request_id] = await replica.escalate(life.request_id)
    await sending
    for life in lives:
        await until(partial(closed, service, life), 20, "its end is taken in")
        said = "Escalated" in await service.stated(life.request_id)
        assert answers[life.request_id].status_code == (202 if said else 409)
        assert (await replica.escalate(life.request_id)).status_code == 409
    assert await service.rows("select count(*) from requests where pending is not null") == [(0,)]


async def closed(service: Escalations, life: Life) -> bool:
    return await service.rows("select state from requests where request_id = $1", life.request_id) == [("resolved",)]
