"""Articles over HTTP: each command happens, is refused, is repeated, and comes late."""

from __future__ import annotations

import pytest

from tests.support.kb_search import READER, STRANGER, Libraries, Replica, all_of, article
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def path(article_id: str) -> str:
    return f"/v1/articles/{article_id}"


async def test_an_article_is_published_revised_and_kept_by_revision(service: Libraries, desk: Replica) -> None:
    first = await desk.article("art-life", tags=["login"], applies_to={"product": "Portal"}, language="en-GB")
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    second = await desk.article("art-life", body="Ask the *help desk*.")
    assert (second.status_code, second.headers["etag"], second.json()["revision"]) == (200, '"2"', 2)
    now = await desk.call("GET", path("art-life"))
    assert now.json() == second.json()
    then = (await desk.call("GET", path("art-life"), revision=1)).json()
    assert then["body"] == article()["body"]
    assert (then["latest_revision"], then["tags"], then["language"]) == (2, ["login"], "en-GB")
    assert then["applies_to"] == {"product": "Portal", "version": None, "os": None}
    assert then["by"] == "tests"
    events = await service.stated("article:art-life")
    assert [(type_, data["revision"]) for type_, data in events] == [("ArticlePublished", 1), ("ArticleRevised", 2)]


async def test_the_events_reach_the_log_in_their_order_under_the_articles_id(service: Libraries, desk: Replica) -> None:
    await desk.article("art-log")
    await desk.call("DELETE", path("art-log"))
    rows = await service.rows(
        "select source, topic, key, version from events where stream = 'article:art-log' order by version"
    )
    assert rows == [("/services/kb-search", "knowledge", "art-log", n) for n in (1, 2)]

    async def published() -> bool:
        waiting = "select count(*) from events e, relay_lease l where (e.txid, e.id) > (l.txid, l.id)"
        return await service.rows(waiting) == [(0,)]

    await until(published)


async def test_a_writer_who_has_read_another_revision_is_refused(service: Libraries, desk: Replica) -> None:
    await desk.article("art-match")
    await desk.article("art-match", body="Second.")
    for condition in ({"if-match": '"1"'}, {"if-none-match": "*"}, {"if-match": '"x"'}):
        late = await desk.call("PUT", path("art-match"), article(body="Late."), headers=condition)
        assert (late.status_code, late.json()["type"]) == (412, "/problems/precondition-failed")
    gone = await desk.call("DELETE", path("art-match"), headers={"if-match": '"1"'})
    assert gone.status_code == 412
    right = await desk.call("PUT", path("art-match"), article(body="Third."), headers={"if-match": '"2"'})
    assert (right.status_code, right.json()["revision"]) == (200, 3)
    assert len(await service.stated("article:art-match")) == 3


async def test_the_same_words_again_state_nothing_even_on_the_old_condition(service: Libraries, desk: Replica) -> None:
    await desk.article("art-same")
    sent = article(body="Second.")
    for _ in range(3):
        answer = await desk.call("PUT", path("art-same"), sent, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert len(await service.stated("article:art-same")) == 2


async def test_a_key_gives_the_first_answer_whatever_has_happened_since(service: Libraries, desk: Replica) -> None:
    key = {"idempotency-key": "art-key"}
    first = await desk.call("PUT", path("art-key"), article(body="First."), headers=key)
    await desk.article("art-key", body="Second.")
    again = await desk.call("PUT", path("art-key"), article(body="First."), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    other = await desk.call("PUT", path("art-key"), article(body="Third."), headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert len(await service.stated("article:art-key")) == 2


async def test_a_retired_article_is_not_found_and_its_revisions_stay(service: Libraries, desk: Replica) -> None:
    await desk.article("art-retired", title="Zebra crossing")
    assert await desk.found("zebra") == ["art-retired"]
    for _ in range(2):
        assert (await desk.call("DELETE", path("art-retired"))).status_code == 204
    assert await desk.found("zebra") == []
    assert (await desk.call("GET", path("art-retired"))).status_code == 404
    kept = (await desk.call("GET", path("art-retired"), revision=1)).json()
    assert (kept["title"], kept["retired"]) == ("Zebra crossing", True)
    assert [type_ for type_, _ in await service.stated("article:art-retired")] == [
        "ArticlePublished",
        "ArticleRetired",
    ]


async def test_words_for_a_retired_article_bring_it_back(service: Libraries, desk: Replica) -> None:
    await desk.article("art-back", title="Quokka")
    await desk.call("DELETE", path("art-back"))
    back = await desk.article("art-back", title="Quokka")
    assert (back.status_code, back.json()["revision"]) == (200, 2)
    assert await desk.found("quokka") == ["art-back"]
    assert [type_ for type_, _ in await service.stated("article:art-back")] == [
        "ArticlePublished",
        "ArticleRetired",
        "ArticlePublished",
    ]


async def test_what_nobody_wrote_can_be_neither_read_nor_retired(desk: Replica) -> None:
    for method in ("GET", "DELETE"):
        answer = await desk.call(method, path("art-nobody"))
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    await desk.article("art-one")
    assert (await desk.call("GET", path("art-one"), revision=2)).status_code == 404


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"title": ""}, "title"),
        ({"body": None}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"language": "not a tag"}, "language"),
        ({"tags": [""]}, "tags.0"),
        ({"applies_to": {"products": "X"}}, "applies_to.products"),
        ({"visibility": "secret"}, "visibility"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_field_is_named(desk: Replica, facts: dict[str, object], field: str) -> None:
    answer = await desk.article("art-wrong", **facts)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_reader_has_the_revision_already(desk: Replica) -> None:
    await desk.article("art-etag")
    had = await desk.call("GET", path("art-etag"), headers={"if-none-match": '"1"'})
    assert (had.status_code, had.content, had.headers["etag"]) == (304, b"", '"1"')


async def test_of_many_writers_at_once_each_revision_has_one(service: Libraries, desk: Replica) -> None:
    await desk.article("art-race")
    calls = [
        desk.call("PUT", path("art-race"), article(body=f"By {n}."), headers={"if-match": '"1"'}) for n in range(8)
    ]
    answers = await all_of(calls)
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    assert len(await service.stated("article:art-race")) == 2


async def test_articles_are_listed_by_their_id_page_after_page(desk: Replica) -> None:
    for n in range(3):
        await desk.article(f"zz-list-{n}")
    await desk.call("DELETE", path("zz-list-1"))
    seen: list[str] = []
    cursor = None
    while True:
        page = (await desk.call("GET", "/v1/articles", limit=2, cursor=cursor)).json()
        seen += [item["article_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert [each for each in seen if each.startswith("zz-list")] == ["zz-list-0", "zz-list-2"]


@pytest.mark.parametrize(
    ("method", "where"),
    [("PUT", path("a")), ("DELETE", path("a")), ("POST", f"{path('a')}/ratings"), ("PUT", "/v1/agents/x/bookmarks/a")],
)
async def test_a_token_that_may_only_read_writes_nothing(desk: Replica, method: str, where: str) -> None:
    answer = await desk.call(method, where, {}, token=READER)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("where", "query"),
    [("/v1/articles", {}), ("/v1/search", {"q": "a"}), ("/v1/gaps", {}), ("/v1/requests/r/suggestions", {})],
)
async def test_a_token_for_something_else_reads_nothing(desk: Replica, where: str, query: dict[str, str]) -> None:
    assert (await desk.call("GET", where, token=STRANGER, **query)).status_code == 403
    assert (await desk.call("GET", where, token=READER, **query)).status_code in (200, 404)
