"""Search over HTTP: by words, in context, page after page, and what it did not find."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.database import Database
from kb_search.adapters.gaps import SqlGaps
from kb_search.app.missed import Missed
from tests.support.clocks import SetClock
from tests.support.kb_search import Libraries, Replica
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_empty_store_finds_nothing_and_says_so(alone: Libraries) -> None:
    desk = await alone.local()
    answer = await desk.call("GET", "/v1/search", q="password", limit=3)
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})


async def test_an_item_tells_what_the_article_is_and_why_it_was_found(desk: Replica) -> None:
    await desk.article("find-item", title="Wombat care", body="Feed it daily.\n\nIts burrow stays *dry* in winter.")
    ((item),) = (await desk.call("GET", "/v1/search", q="dry burrows")).json()["items"]
    assert item.pop("score") > 0
    assert item == {
        "article_id": "find-item",
        "title": "Wombat care",
        "snippet": "Its burrow stays dry in winter.",
        "revision": 1,
    }


async def test_words_are_found_by_their_stems_whatever_their_case_and_accents(desk: Replica) -> None:
    await desk.article("find-stem", title="Réclamations", body="Numbats were complaining loudly.")
    for asked in ("numbat COMPLAIN", "complained", "reclamations"):
        assert await desk.found(asked) == ["find-stem"], asked


async def test_each_article_is_read_in_its_own_language(desk: Replica) -> None:
    await desk.article("find-de", title="Kontoauszüge", body="Die Kassenbücher des Bilbys.", language="de-CH")
    assert await desk.found("Kassenbuch", language="de") == ["find-de"]
    assert await desk.found("bilbys Kassenbuch") == ["find-de"]
    assert await desk.found("bilbys", language="en") == []


async def test_a_title_counts_more_than_the_text(desk: Replica) -> None:
    await desk.article("find-text", title="Animals", body="The dunnart and others of its kind.")
    await desk.article("find-title", title="The dunnart", body="Of its kind there are others.")
    assert await desk.found("dunnart") == ["find-title", "find-text"]


async def test_what_is_for_something_else_is_left_out_and_what_fits_comes_first(desk: Replica) -> None:
    for name, about in {
        "any": None,
        "fits": {"product": "Betong", "version": "2"},
        "other": {"product": "Potoroo"},
        "older": {"product": "Betong", "version": "1"},
        "system": {"os": "BSD"},
    }.items():
        await desk.article(f"find-ctx-{name}", title="Glider", body="Glider.", applies_to=about)
    asked: dict[str, Any] = {"product": "betong", "version": "2.4", "os": "Linux"}
    assert await desk.found("glider", **asked) == ["find-ctx-fits", "find-ctx-any"]
    assert len(await desk.found("glider")) == 5


async def test_ratings_move_an_article(desk: Replica) -> None:
    for name in ("a", "b"):
        await desk.article(f"find-liked-{name}", title="Cassowary", body="Cassowary.")
    assert await desk.found("cassowary") == ["find-liked-a", "find-liked-b"]
    for n in range(6):
        rating = {"score": 5, "agent_id": f"agent-{n}"}
        assert (await desk.call("POST", "/v1/articles/find-liked-b/ratings", rating)).status_code == 200

    async def moved() -> bool:
        return await desk.found("cassowary") == ["find-liked-b", "find-liked-a"]

    await until(moved)


async def test_a_search_is_paged(desk: Replica) -> None:
    for n in range(5):
        await desk.article(f"find-page-{n}", title="Quoll", body="Quoll.")
    seen: list[str] = []
    cursor = None
    while True:
        page = (await desk.call("GET", "/v1/search", q="quoll", limit=2, cursor=cursor)).json()
        seen += [item["article_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"find-page-{n}" for n in range(5)]


@pytest.mark.parametrize(
    "query", [{}, {"q": ""}, {"q": "a", "colour": "red"}, {"q": "a", "limit": 0}, {"q": "a", "cursor": "x"}]
)
async def test_a_wrong_search_is_refused(desk: Replica, query: dict[str, Any]) -> None:
    answer = await desk.call("GET", "/v1/search", **query)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


async def gaps(desk: Replica, **query: Any) -> dict[str, int]:
    page = (await desk.call("GET", "/v1/gaps", **query)).json()
    return {item["asked"]: item["times"] for item in page["items"]}


async def test_what_was_asked_and_not_found_is_counted(desk: Replica) -> None:
    for asked in ("Thylacine  FOOD", "thylacine food", "bandicootery"):
        await desk.found(asked)
    await desk.article("gap-found", title="Sugar glider nests")
    await desk.found("nests")

    async def counted() -> bool:
        there = await gaps(desk, source="search")
        return (there.get("thylacine food"), there.get("bandicootery"), there.get("nests")) == (2, 1, None)

    await until(counted)


async def test_gaps_are_paged_the_most_asked_first(alone: Libraries) -> None:
    desk = await alone.local()
    for n in range(4):
        for _ in range(n + 1):
            await desk.found(f"missing{n % 3}")
    due = {"missing0": 5, "missing2": 3, "missing1": 2}
    await until(lambda: _is_counted(desk, due))
    times: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = (await desk.call("GET", "/v1/gaps", limit=2, cursor=cursor)).json()
        times += [(item["asked"], item["times"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert times == list(due.items())


async def test_a_gap_that_cannot_be_counted_keeps_nobody_from_his_answer(service: Libraries, desk: Replica) -> None:
    await desk.article("find-alone", title="Echidna")
    async with service.held("lock table gaps in access exclusive mode"):
        assert await desk.found("platypuses") == []
        assert await desk.found("echidna") == ["find-alone"]


async def test_gaps_that_were_not_written_yet_are_written_at_the_stop(alone: Libraries) -> None:
    db = Database(alone.dsn, name="tests")
    await db.open()
    missed = Missed(db, SqlGaps(), SetClock(5))
    missed.stop()
    for _ in range(2):
        missed.note("potoroos")
    await missed.run()
    await db.close()
    assert await alone.rows("select asked, times, last_us from gaps") == [("potoroos", 2, 5)]


async def test_gaps_that_cannot_be_written_are_kept_until_they_can() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none", name="tests")
    await nowhere.open()
    missed = Missed(nowhere, SqlGaps(), SetClock())
    missed.note("potoroos")
    missed.stop()
    await missed.run()
    await nowhere.close()
    assert missed.waiting == 1


async def _is_counted(desk: Replica, due: dict[str, int]) -> bool:
    return await gaps(desk) == due
