"""Kb-search killed in mid-work: every request is told of once, and every article that was acknowledged is found."""

from __future__ import annotations

import asyncio
import os
import random

import httpx
import pytest

from tests.support.kb_search import Customer, Libraries, ProcessReplica, article
from tests.support.until import until

REQUESTS = 40
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
TOLD = "select stream, count(*) from events where type = 'SuggestionShown' group by stream"
UNPUBLISHED = "select count(*) from events e, relay_lease l where (e.txid, e.id) > (l.txid, l.id)"


async def told_once(service: Libraries, count: int) -> None:
    """All that came in was looked up, told of once, and reached the log."""

    async def all_told() -> bool:
        return len(await service.rows(TOLD)) == count and await service.rows(UNPUBLISHED) == [(0,)]

    await until(all_told, 60, "every request is told of")
    assert {times for _, times in await service.rows(TOLD)} == {1}
    listed = "select count(*), count(distinct request_id) from suggestions where listed"
    assert await service.rows(listed) == [(count, count)]


async def test_killed_between_hearing_and_telling_it_tells_each_request_once(service: Libraries) -> None:
    """What was heard is committed, what it finds is written but not: the kill takes just that."""
    replica = await service.replica()
    await replica.article("found", title="Aardvark")
    ada = Customer("c-ada")
    async with service.held("lock table suggestions in share mode"):
        await service.send(ada.made(), *(ada.contact(f"r-{n}", subject="aardvark") for n in range(REQUESTS)))
        await until(lambda: _is(service, WAITING, lambda n: n > 0), 40, "look-ups are half written")
        await replica.kill()
    await replica.start()
    await told_once(service, REQUESTS)


@pytest.mark.parametrize("seed", [5])
async def test_killed_again_and_again_while_customers_talk_it_loses_and_repeats_nothing(
    service: Libraries, seed: int
) -> None:
    draw = random.Random(seed)
    replica = await service.replica()
    await replica.article("found", title="Aardvark")
    talking = asyncio.create_task(_talk(service))
    for _ in range(int(os.environ.get("CHAOS_ROUNDS", "2"))):
        await asyncio.sleep(draw.random())  # the very moment of the kill is what is drawn
        await replica.kill()
        await replica.start()
    await talking
    await told_once(service, REQUESTS)


async def test_a_survivor_takes_over_what_a_killed_replica_had_heard(service: Libraries) -> None:
    """Within the grace that the one who heard a request has."""
    killed, survivor = await service.replica(), await service.replica()
    await survivor.article("found", title="Aardvark")
    ada = Customer("c-ada")
    async with service.held("lock table suggestions in share mode"):
        await service.send(ada.made(), *(ada.contact(f"r-{n}", subject="aardvark") for n in range(REQUESTS)))
        heard = "select count(*) from requests"
        await until(lambda: _is(service, heard, lambda n: n == REQUESTS), 40, "all are heard")
        await killed.kill()
    await told_once(service, REQUESTS)


async def test_two_replicas_that_look_up_the_same_words_tell_of_them_once(service: Libraries) -> None:
    """The one who heard them is so slow that the other takes over, and both have found what they would tell."""
    replicas = [await service.replica(), await service.replica()]
    await replicas[0].article("found", title="Aardvark")
    ada = Customer("c-ada")
    async with service.held("lock table suggestions in share mode"):
        await service.send(ada.made(), ada.contact("r-0", subject="aardvark"))
        await until(lambda: _is(service, WAITING, lambda n: n > 1), 40, "both wait to write")
    await told_once(service, 1)
    await replicas[0].shows("r-0", "found")
    await replicas[1].shows("r-0", "found")


async def test_killed_while_articles_are_written_it_finds_all_that_it_acknowledged(service: Libraries) -> None:
    replica = await service.replica()
    acknowledged: list[str] = []
    writers = [asyncio.create_task(_write(replica, n, acknowledged)) for n in range(4)]
    await until(lambda: len(acknowledged) >= 30, 40)
    await replica.kill()
    await asyncio.gather(*writers)
    await replica.start()
    assert set(acknowledged) <= set(await replica.found("aardvark", limit=1_000))
    twice = "select stream, version from events group by stream, version having count(*) > 1"
    assert await service.rows(twice) == []
    again = await replica.article(acknowledged[0], title="Aardvark")
    assert (again.status_code, again.json()["revision"]) == (201, 1)


async def _talk(service: Libraries) -> None:
    ada = Customer("c-ada")
    await service.send(ada.made())
    for n in range(REQUESTS):
        await service.send(ada.contact(f"r-{n}", subject="aardvark"), ada.message(f"r-{n}", body="And?"))


async def _write(replica: ProcessReplica, writer: int, acknowledged: list[str]) -> None:
    for n in range(1_000):
        article_id = f"a-{writer}-{n}"
        try:
            answer = await replica.call("PUT", f"/v1/articles/{article_id}", article(title="Aardvark"))
        except httpx.HTTPError:
            return
        if answer.status_code == 201:
            acknowledged.append(article_id)


async def _is(service: Libraries, query: str, holds: object) -> bool:
    ((value,),) = await service.rows(query)
    return bool(callable(holds) and holds(value))
