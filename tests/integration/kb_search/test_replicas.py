"""Several replicas: each finds what the others wrote, and a request's words are looked up by one of them."""

from __future__ import annotations

import signal

import pytest

from tests.support.kb_search import Customer, Libraries, Replica, all_of
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def finds(replica: Replica, q: str, *article_ids: str) -> None:
    async def does() -> bool:
        return await replica.found(q) == list(article_ids)

    await until(does, 10, f"{q} finds {article_ids}")


async def test_replicas_find_one_anothers_articles(service: Libraries, desk: Replica) -> None:
    other = await service.replica()
    await desk.article("both-a", title="Tapir")
    await finds(other, "tapir", "both-a")
    await other.article("both-b", title="Tapir tapir")
    await finds(desk, "tapir", "both-b", "both-a")
    await other.article("both-a", title="Uakari")
    await finds(desk, "tapir", "both-b")
    await desk.call("DELETE", "/v1/articles/both-b")
    await finds(other, "tapir")
    await _each_lookup_is_told_once(service, desk, other)
    assert await other.stop() in (0, -signal.SIGTERM)


async def _each_lookup_is_told_once(service: Libraries, desk: Replica, other: Replica) -> None:
    """With both in the group, whichever hears of a request."""
    await desk.article("both-v", title="Vicuna")
    await finds(other, "vicuna", "both-v")
    vi = Customer("both-vi")
    ids = [f"both-{n}" for n in range(30)]
    await service.send(vi.made(), *(vi.contact(each, subject="vicuna") for each in ids))
    await all_of(desk.shows(each, "both-v", seconds=40) for each in ids)
    assert [len(await service.stated(each)) for each in ids] == [1] * len(ids)


async def test_a_key_destroyed_by_way_of_another_replica_opens_nothing_here(service: Libraries, desk: Replica) -> None:
    """This one has the key in its cache; the table says at once that it is gone."""
    await desk.article("both-key", title="Warthog")
    wim = Customer("both-wim")
    await service.send(wim.made(), wim.contact("both-before", subject="warthog"))
    await desk.shows("both-before", "both-key")
    gone = (
        "update customer_keys set nonce = null, wrapped = null, destroyed_us = 1 where key_id = 'both-wim' returning 1"
    )
    assert await service.rows(gone) == [(1,)]
    await service.send(wim.contact("both-after", subject="warthog"))
    looked_up = "select due_us is null from requests where request_id = 'both-after'"

    async def done() -> bool:
        return await service.rows(looked_up) == [(True,)]

    await until(done, 20)
    assert await desk.suggested("both-after") == []


async def test_an_article_whose_writer_commits_late_is_not_missed(service: Libraries, desk: Replica) -> None:
    """Its transaction began before others that were read meanwhile: a reader by "greater than the last" passes it."""
    await desk.article("order-1", title="Wallaby")
    async with service.held(
        "update articles set revision = revision, changed = pg_current_xact_id() where article_id = 'order-1'"
    ):
        await service.rows(
            "with a as (insert into articles (article_id, revision, retired) values ('order-2', 1, false))"
            " insert into article_revisions (article_id, revision, title, body, language, tags, visibility, stated_us)"
            " values ('order-2', 1, 'Wallaby two', 'x', 'en', '{}', 'public', 0) returning 1"
        )
        await finds(desk, "two wallabies", "order-2", "order-1")
        early = "update article_revisions set title = 'Xerus' where article_id = 'order-1' returning 1"
        await service.rows(early)
    await finds(desk, "xerus", "order-1")
