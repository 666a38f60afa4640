"""Search over ten thousand articles: from the words asked to ten items with their snippets."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable

import asyncpg

from bench.articles import Question, Shelf
from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from chassis.metrics import Metrics
from kb_search.adapters.text_index import TextIndex
from kb_search.app.rendering import found_object
from kb_search.app.searching import Question as Asked
from kb_search.app.searching import Searching
from kb_search.domain.content import About
from kb_search.metrics import CATALOGUE

ARTICLES = 10_000
ASKED_OF_POSTGRES = 150
ASKED = 3_000
SHOWN = 10
Ask = Callable[[str], Awaitable[list[str]]]

_TABLE = """
create table articles (
    article_id text primary key,
    title text not null,
    body text not null,
    words tsvector not null generated always as (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'D')
    ) stored
)
"""
_SEARCH = """
with q as (select replace(plainto_tsquery('english', $1)::text, ' & ', ' | ')::tsquery as words),
found as (
    select a.article_id, a.title, a.body, ts_rank_cd(a.words, q.words) as score
    from articles a, q where a.words @@ q.words order by score desc, a.article_id limit $2
)
select article_id, title, ts_headline('english', body, q.words, 'MaxFragments=1') as snippet, score from found, q
order by score desc, article_id
"""


async def usual(ground: Ground) -> Sample:
    """PostgreSQL's full text search: a generated tsvector under a GIN index, any of the words, ranked by cover."""
    shelf = Shelf()
    entries = shelf.articles(ground.amount(ARTICLES))
    async with fresh_database(ground, "usual") as url:
        connection = await asyncpg.connect(url)
        await connection.execute(_TABLE)
        rows = [(entry.article_id, entry.content.title, entry.content.body) for entry in entries]
        await connection.copy_records_to_table("articles", records=rows, columns=["article_id", "title", "body"])
        await connection.execute("create index on articles using gin (words)")
        await connection.execute("vacuum analyze articles")

        async def ask(text: str) -> list[str]:
            found = [dict(row) for row in await connection.fetch(_SEARCH, text, SHOWN)]
            json.dumps(found)
            return [item["article_id"] for item in found]

        sample = await _measure(ground, ask, list(shelf.questions(entries, ground.amount(ASKED_OF_POSTGRES))))
        await connection.close()
        return sample


async def product(ground: Ground) -> Sample:
    """The service's index and ranking, as its route calls them."""
    shelf = Shelf()
    entries = shelf.articles(ground.amount(ARTICLES))
    index = TextIndex()
    for at in range(0, len(entries), 500):
        index.change(entries[at : at + 500], [])
    searching = Searching(index, _Whole(), _not_counted, Metrics(CATALOGUE))

    async def ask(text: str) -> list[str]:
        found, _ = searching.search(Asked(text, About()), offset=0, limit=SHOWN)
        items = [found_object(each) for each in found]
        json.dumps(items)
        return [str(item["article_id"]) for item in items]

    return await _measure(ground, ask, list(shelf.questions(entries, ground.amount(ASKED))))


class _Whole:
    """An index that nobody changes meanwhile."""

    is_whole = True

    async def caught_up(self) -> None:
        """At once."""


def _not_counted(asked: str) -> None:
    raise RuntimeError(f"nothing was found for {asked!r}, which is made of an article's own words")


async def _measure(ground: Ground, ask: Ask, questions: list[Question]) -> Sample:
    for question in questions[: len(questions) // 10 + 1]:
        await ask(question.text)
    waits, first, among = [], 0, 0
    with Meter({"server": (os.getpid(), *ground.postgres_pids), "service": (os.getpid(),)}) as meter:
        for question in questions:
            began = time.perf_counter_ns()
            found = await ask(question.text)
            waits.append((time.perf_counter_ns() - began) // 1_000)
            first += found[:1] == [question.article_id]
            among += question.article_id in found
    right = {"right_one_first_percent": 100 * first / len(questions), "among_ten_percent": 100 * among / len(questions)}
    return meter.sample(len(questions), waits, right)


BENCH = Bench(
    name="search",
    question="what does it cost to find ten of 10,000 articles by a dozen words?",
    unit="search",
    guarantees="any of the words is enough, English stems and stop words, ranked, ten items with snippets as JSON",
    variants=(
        Variant("PostgreSQL", "a generated tsvector, GIN, ts_rank_cd, ts_headline", usual),
        Variant("throughline", "tantivy in the service's memory, ranked by words, coverage and context", product),
    ),
    claims=(Claim("server_cpu_us", "PostgreSQL", 10), Claim("p50_ms", "PostgreSQL", 10)),
    figures=("per_s", "server_cpu_us", "p50_ms", "p99_ms", "right_one_first_percent", "among_ten_percent"),
)
