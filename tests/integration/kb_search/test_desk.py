"""What agents do with articles: used, rated, bookmarked; each command happens, is refused, is repeated, comes late."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kb_search import Customer, Libraries, Replica, all_of
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(service: Libraries, desk: Replica, name: str) -> str:
    """A request of that name, which is shown the article of the same name."""
    await desk.article(name, title=f"{name.replace('-', '')} explained")
    customer = Customer(f"c-{name}")
    await service.send(customer.made(), customer.contact(f"r-{name}", subject=name.replace("-", "")))
    await desk.shows(f"r-{name}", name)
    return f"r-{name}"


async def use(desk: Replica, request_id: str, article_id: str, body: Any = None, **headers: str) -> Any:
    return await desk.call("POST", f"/v1/requests/{request_id}/suggestions/{article_id}/used", body, headers=headers)


async def test_a_use_is_told_on_the_requests_stream_with_its_place(service: Libraries, desk: Replica) -> None:
    request_id = await asked(service, desk, "use-told")
    answer = await use(desk, request_id, "use-told", {"agent_id": "a-1", "leg": 2})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["place"], said["revision"], said["article_id"]) == (1, 1, "use-told")
    rows = await service.rows(
        "select event_id::text, type, key, topic, version, causation_id::text, occurred_us from events"
        " where stream = $1 order by version",
        request_id,
    )
    (shown, used) = rows
    assert used[:6] == (said["event_id"], "SuggestionUsed", request_id, "contacts", 2, shown[0])
    assert used[6] > shown[6]
    assert (await desk.call("GET", "/v1/articles/use-told")).json()["used"] == 1


@pytest.mark.parametrize(("request_id", "article_id"), [("r-use-unknown", "use-there"), ("r-use-there", "use-nothing")])
async def test_a_use_of_what_is_not_there_is_refused(
    service: Libraries, desk: Replica, request_id: str, article_id: str
) -> None:
    await asked(service, desk, "use-there")
    answer = await use(desk, request_id, article_id)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_use_repeated_by_the_same_agent_gets_the_first_answer(service: Libraries, desk: Replica) -> None:
    request_id = await asked(service, desk, "use-again")
    calls = [use(desk, request_id, "use-again", {"agent_id": "a-1"}) for _ in range(5)]
    answers = await all_of(calls)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    other = await use(desk, request_id, "use-again", {"agent_id": "a-2"})
    assert other.json()["event_id"] != answers[0].json()["event_id"]
    nobody = [await use(desk, request_id, "use-again") for _ in range(2)]
    assert nobody[0].content == nobody[1].content
    assert len(await service.stated(request_id)) == 4


async def test_a_used_key_gets_the_first_answer_and_another_body_is_refused(service: Libraries, desk: Replica) -> None:
    request_id = await asked(service, desk, "use-key")
    key = {"idempotency-key": "k"}
    first = await use(desk, request_id, "use-key", {"agent_id": "a-1"}, **key)
    assert (await use(desk, request_id, "use-key", {"agent_id": "a-1"}, **key)).content == first.content
    assert (await use(desk, request_id, "use-key", {"agent_id": "a-2"}, **key)).status_code == 422


async def test_a_use_that_comes_late_counts_as_the_agent_saw_it(service: Libraries, desk: Replica) -> None:
    """The article was revised and retired while he had it open, and the list has changed."""
    request_id = await asked(service, desk, "use-late")
    await desk.article("use-late", title="uselate now says more")
    await desk.call("DELETE", "/v1/articles/use-late")
    assert await desk.suggested(request_id) == []
    said = (await use(desk, request_id, "use-late", {"agent_id": "a-1"})).json()
    assert (said["place"], said["revision"]) == (1, 1)


async def test_an_article_that_was_never_suggested_may_be_used(service: Libraries, desk: Replica) -> None:
    request_id = await asked(service, desk, "use-own")
    await desk.article("use-other", title="Something else")
    said = (await use(desk, request_id, "use-other")).json()
    assert (said["place"], said["revision"]) == (None, 1)


async def rate(desk: Replica, article_id: str, **body: Any) -> Any:
    return await desk.call("POST", f"/v1/articles/{article_id}/ratings", body)


async def test_a_rating_is_told_and_counted(service: Libraries, desk: Replica) -> None:
    await desk.article("rate-told")
    said = await rate(desk, "rate-told", score=4, agent_id="a-1", request_id="r-1")
    assert said.status_code == 200
    assert (said.json()["score"], said.json()["revision"]) == (4, 1)
    type_, data = (await service.stated("article:rate-told"))[-1]
    assert (type_, data) == (
        "ArticleRated",
        {"article_id": "rate-told", "revision": 1, "score": 4, "agent_id": "a-1", "request_id": "r-1"},
    )
    assert (await desk.call("GET", "/v1/articles/rate-told")).json()["ratings"] == {"count": 1, "mean": 4.0}


@pytest.mark.parametrize(
    ("article_id", "body", "status"),
    [
        ("rate-none", {"score": 3}, 404),
        ("rate-there", {"score": 6}, 422),
        ("rate-there", {"score": "5"}, 422),
        ("rate-there", {"score": 5, "revision": 9}, 422),
        ("rate-there", {}, 422),
    ],
)
async def test_a_rating_of_nothing_or_out_of_bounds_is_refused(
    desk: Replica, article_id: str, body: dict[str, Any], status: int
) -> None:
    await desk.article("rate-there")
    assert (await rate(desk, article_id, **body)).status_code == status


async def test_the_same_word_again_changes_nothing_and_another_replaces_it(service: Libraries, desk: Replica) -> None:
    await desk.article("rate-again")
    first, again = [await rate(desk, "rate-again", score=2, agent_id="a-1") for _ in range(2)]
    assert first.content == again.content
    await rate(desk, "rate-again", score=5, agent_id="a-1")
    await rate(desk, "rate-again", score=4, agent_id="a-1", request_id="r-2")
    assert (await desk.call("GET", "/v1/articles/rate-again")).json()["ratings"] == {"count": 2, "mean": 4.5}
    assert len(await service.stated("article:rate-again")) == 4


async def test_a_rating_that_comes_late_counts_for_the_revision_that_was_read(desk: Replica) -> None:
    await desk.article("rate-late")
    await desk.article("rate-late", body="New.")
    await desk.call("DELETE", "/v1/articles/rate-late")
    assert (await rate(desk, "rate-late", score=1, revision=1)).json()["revision"] == 1
    assert (await rate(desk, "rate-late", score=1)).json()["revision"] == 2


def mark(agent_id: str, article_id: str) -> str:
    return f"/v1/agents/{agent_id}/bookmarks/{article_id}"


async def seen(desk: Replica, agent_id: str, **query: Any) -> list[tuple[str, str]]:
    page = (await desk.call("GET", f"/v1/agents/{agent_id}/bookmarks", **query)).json()
    return [(item["agent_id"], item["article_id"]) for item in page["items"]]


async def test_a_bookmark_is_kept_and_seen_by_those_it_is_shared_with(desk: Replica) -> None:
    await desk.article("mark-kept", title="Marked")
    shares = {"shared_with": ["team:cards", "agent:mark b", "team:cards"]}
    made = await desk.call("PUT", mark("mark-a", "mark-kept"), shares)
    assert made.status_code == 200
    assert made.json()["shared_with"] == ["team:cards", "agent:mark b"]
    assert (await desk.call("GET", mark("mark-a", "mark-kept"))).json() == made.json()
    own = [("mark-a", "mark-kept")]
    assert await seen(desk, "mark-a") == await seen(desk, "mark b") == own
    assert await seen(desk, "mark-c") == []
    assert await seen(desk, "mark-c", teams="loans,cards") == own


async def test_a_bookmark_on_nothing_or_shared_with_nobody_that_can_be_is_refused(desk: Replica) -> None:
    await desk.article("mark-gone")
    await desk.call("DELETE", "/v1/articles/mark-gone")
    assert (await desk.call("PUT", mark("mark-d", "mark-nothing"))).status_code == 404
    late = await desk.call("PUT", mark("mark-d", "mark-gone"))
    assert (late.status_code, late.json()["state"]) == (409, "retired")
    await desk.article("mark-there")
    wrong = await desk.call("PUT", mark("mark-d", "mark-there"), {"shared_with": ["cards"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "shared_with.0")
    assert await seen(desk, "mark-d") == []


async def test_a_bookmark_made_again_keeps_its_time_and_is_shared_anew(desk: Replica) -> None:
    await desk.article("mark-again")
    first = (await desk.call("PUT", mark("mark-e", "mark-again"), {"shared_with": ["team:x"]})).json()
    again = (await desk.call("PUT", mark("mark-e", "mark-again"))).json()
    assert again == first | {"shared_with": []}
    assert await seen(desk, "mark-f", teams="x") == []


async def test_a_bookmark_outlives_its_article_and_says_so(desk: Replica) -> None:
    await desk.article("mark-late", title="Old")
    await desk.call("PUT", mark("mark-g", "mark-late"))
    await desk.article("mark-late", title="New")
    await desk.call("DELETE", "/v1/articles/mark-late")
    kept = (await desk.call("GET", mark("mark-g", "mark-late"))).json()
    assert (kept["title"], kept["revision"], kept["retired"]) == ("New", 2, True)
    assert (await desk.call("PUT", mark("mark-g", "mark-late"), {"shared_with": ["team:y"]})).status_code == 200


async def test_a_bookmark_taken_away_is_gone_however_often_it_is_done(desk: Replica) -> None:
    await desk.article("mark-away")
    await desk.call("PUT", mark("mark-h", "mark-away"))
    for _ in range(2):
        assert (await desk.call("DELETE", mark("mark-h", "mark-away"))).status_code == 204
    assert (await desk.call("GET", mark("mark-h", "mark-away"))).status_code == 404
    assert await seen(desk, "mark-h") == []


async def test_bookmarks_are_paged(desk: Replica) -> None:
    for n in range(3):
        await desk.article(f"mark-page-{n}")
        await desk.call("PUT", mark("mark-i", f"mark-page-{n}"))
    first = (await desk.call("GET", "/v1/agents/mark-i/bookmarks", limit=2)).json()
    rest = await seen(desk, "mark-i", cursor=first["next_cursor"], limit=2)
    assert [item["article_id"] for item in first["items"]] == ["mark-page-0", "mark-page-1"]
    assert rest == [("mark-i", "mark-page-2")]


async def test_nothing_is_suggested_for_a_request_that_never_came(desk: Replica) -> None:
    assert await desk.suggested("r-never") is None


async def test_uses_survive_the_relay(service: Libraries, desk: Replica) -> None:
    """What was answered reaches the log."""
    request_id = await asked(service, desk, "use-relay")
    await use(desk, request_id, "use-relay")

    async def published() -> bool:
        waiting = "select count(*) from events e, relay_lease l where (e.txid, e.id) > (l.txid, l.id)"
        return await service.rows(waiting) == [(0,)]

    await until(published)
