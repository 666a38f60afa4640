"""Escalation killed in mid-work, and dead while deadlines pass: each verdict once, none early, none lost."""

from __future__ import annotations

import asyncio
import os
import random

import asyncpg
import pytest

from events.times import to_us
from tests.support.escalation import SECOND, Escalations, Life, Told, now_us
from tests.support.servers import PrivateKafka
from tests.support.until import until

TARGET_S = 2
VERDICTS = """
    select stream, array_agg(type order by version) from events where type in ('SlaMet', 'SlaBreached') group by 1
"""
TWICE = "select stream, type from events group by 1, 2 having count(*) > 1"


async def stated(service: Escalations, life: Life, *types: str) -> bool:
    return await service.stated(life.request_id) == list(types)


async def test_deadlines_that_pass_while_it_is_dead_are_stated_at_its_return(service: Escalations) -> None:
    replica = await service.replica()
    await replica.promise(TARGET_S, warn_at_percent=50)
    broken, met, unheard = Life(), Life(), Life()
    for life in (broken, met, unheard):
        life.at_us = now_us()
    await service.send(broken.received(), met.received())
    for life in (broken, met):
        await replica.comes_to_know(life.request_id)
    await replica.kill()
    # While it is dead one is connected in time, one is not, and one is received and forgotten.
    await service.send(met.connected(after_s=1.5), unheard.received())
    await until(lambda: now_us() > unheard.at_us + (TARGET_S + 1) * SECOND, 10)
    await replica.start()
    await until(lambda: stated(service, broken, "SlaWarned", "SlaBreached"), 30)
    await until(lambda: stated(service, unheard, "SlaWarned", "SlaBreached"), 30)
    await until(lambda: stated(service, met, "SlaWarned", "SlaMet"), 30)
    for life in (broken, unheard):
        *_, fact = await service.facts(life.request_id)
        assert fact["occurred_us"] > to_us(fact["due_at"])


async def test_killed_between_its_writes_it_states_what_was_due_once(service: Escalations) -> None:
    replica = await service.replica()
    await replica.promise(TARGET_S)
    life = Life()
    life.at_us = now_us()
    await service.send(life.received())
    await until(lambda: replica.knows(life.request_id), 20)
    blocker = await asyncpg.connect(service.dsn)
    async with blocker.transaction():
        # The event is appended already when the request's row comes to this lock.
        await blocker.execute("lock table requests in share mode")
        await until(lambda: waits(service), 20, "the verdict is half written")
        await replica.kill()
    await blocker.close()
    assert await service.stated(life.request_id) == []
    await replica.start()
    await until(lambda: stated(service, life, "SlaBreached"), 30)


async def waits(service: Escalations) -> bool:
    waiting = (
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
        "and query like '%insert into requests%'"
    )
    return await service.rows(waiting) != [(0,)]


@pytest.mark.parametrize("seed", [5])
async def test_killed_again_and_again_two_replicas_state_what_the_log_says_and_nothing_twice(
    service: Escalations, seed: int
) -> None:
    draw = random.Random(seed)
    replicas = [await service.replica() for _ in range(2)]
    await replicas[0].promise(TARGET_S)
    due: dict[str, str] = {}
    sending = asyncio.create_task(tell(service, due, draw))
    for _ in range(int(os.environ.get("CHAOS_ROUNDS", "3"))):
        await asyncio.sleep(draw.random())  # the very moment of the kill is what is drawn
        killed = draw.choice(replicas)
        await killed.kill()
        await killed.start()
    await sending
    await until(lambda: all_told(service, due), 60, "all that is due is stated")
    assert await service.rows(TWICE) == []
    early = "select count(*) from breaches where detected_us <= due_us"
    assert await service.rows(early) == [(0,)]


async def tell(service: Escalations, due: dict[str, str], draw: random.Random) -> None:
    """Requests that are connected in time, too late, or never; what is due of each."""
    for _ in range(30):
        events: list[Told] = []
        for _ in range(draw.randrange(1, 5)):
            life = Life()
            events.append(life.received())
            fate = draw.choice(["SlaMet", "late", "never"])
            if fate != "never":
                events.append(life.connected(after_s=1 if fate == "SlaMet" else TARGET_S + 1))
            due[life.request_id] = "SlaMet" if fate == "SlaMet" else "SlaBreached"
        await service.send(*events)


async def all_told(service: Escalations, due: dict[str, str]) -> bool:
    """What is said last is what the log says: on a slow machine an event can come late even here."""
    return {request_id: types[-1] for request_id, types in await service.rows(VERDICTS)} == due


async def test_with_kafka_dead_over_a_deadline_the_verdict_waits_for_what_kafka_holds_back(
    on_mortal_kafka: Escalations, private_kafka: PrivateKafka
) -> None:
    service = on_mortal_kafka
    replica = await service.local()
    await replica.promise(4)
    kept, broken = Life(), Life()
    kept.at_us = broken.at_us = now_us()
    await service.send(kept.received(), broken.received())
    for life in (kept, broken):
        await replica.comes_to_know(life.request_id)
    await asyncio.to_thread(private_kafka.kill)
    await until(lambda: now_us() > kept.at_us + 6 * SECOND, 20)
    assert await service.stated(kept.request_id) == await service.stated(broken.request_id) == []
    await asyncio.to_thread(private_kafka.start)
    # The router's outbox drains first: what it committed in time is there before the log's end is known.
    await service.send(kept.connected(after_s=2))
    await until(lambda: stated(service, broken, "SlaBreached"), 60)
    *_, last = await until_last(service, kept, "SlaMet")
    assert last == "SlaMet"


async def until_last(service: Escalations, life: Life, type_: str) -> list[str]:
    async def there() -> bool:
        return (await service.stated(life.request_id))[-1:] == [type_]

    await until(there, 30)
    return await service.stated(life.request_id)
