"""The tables of articles: the present state of each, every revision, ratings, and what changed for the index."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.database import Connection
from kb_search.app.ports import Entry, Revision, Standing
from kb_search.domain.articles import Article
from kb_search.domain.content import About, Content
from kb_search.domain.ratings import Rate, Rating

_CONTENT: Final = "r.title, r.body, r.language, r.tags, r.product, r.version, r.os, r.visibility"
_LOAD: Final = f"""
select a.article_id, a.revision, a.retired, a.ratings, a.rating_sum, a.uses, {_CONTENT}
from articles a join article_revisions r using (article_id, revision) where a.article_id = $1
"""
_REVISION: Final = f"""
select r.article_id, r.revision, r.by, r.stated_us, {_CONTENT} from article_revisions r
where r.article_id = $1 and r.revision = $2
"""
_PAGE: Final = f"""
select a.article_id, a.revision, a.retired, a.ratings, a.rating_sum, a.uses, r.by, r.stated_us, {_CONTENT}
from articles a join article_revisions r using (article_id, revision)
where a.article_id > $1 and not a.retired order by a.article_id limit $2
"""
_SAVE: Final = """
insert into articles (article_id, revision, retired) values ($1, $2, $3)
on conflict (article_id) do update set revision = $2, retired = $3, changed = pg_current_xact_id()
"""
_ADD_REVISION: Final = """
insert into article_revisions
    (article_id, revision, title, body, language, tags, product, version, os, visibility, by, stated_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_RATING: Final = """
select score, revision, event_id::text from article_ratings
where article_id = $1 and agent_id = $2 and request_id = $3
"""
_RATE: Final = """
insert into article_ratings (article_id, agent_id, request_id, revision, score, event_id)
values ($1, $2, $3, $4, $5, $6)
on conflict (article_id, agent_id, request_id) do update set revision = $4, score = $5, event_id = $6
"""
_MOVE_RATINGS: Final = """
update articles set ratings = ratings + $2, rating_sum = rating_sum + $3, changed = pg_current_xact_id()
where article_id = $1
"""
_USE: Final = "update articles set uses = uses + 1 where article_id = $1"
_BOUND: Final = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_CHANGES: Final = f"""
select a.article_id, a.revision, a.retired, a.ratings, a.rating_sum, a.changed::text::bigint as number, {_CONTENT}
from articles a join article_revisions r using (article_id, revision)
where a.changed >= $1::text::xid8 and a.article_id > $2 and not (a.retired and $4)
order by a.article_id limit $3
"""


class SqlArticles:
    """See `ports.Articles`."""

    async def load(self, connection: Connection, article_id: str) -> Standing:
        """See Articles."""
        row = await connection.fetchrow(_LOAD, article_id)
        return Standing(Article(article_id)) if row is None else _standing(row)

    async def revision(self, connection: Connection, article_id: str, number: int) -> Revision | None:
        """See Articles."""
        row = await connection.fetchrow(_REVISION, article_id, number)
        return None if row is None else _revision(row)

    async def page(self, connection: Connection, *, after: str, limit: int) -> list[tuple[Standing, Revision]]:
        """See Articles."""
        rows = await connection.fetch(_PAGE, after, limit)
        return [(_standing(row), _revision(row)) for row in rows]

    async def save(self, tx: Connection, article: Article, *, by: str | None, stated_us: int) -> None:
        """See Articles."""
        content = article.content
        assert content is not None
        await tx.execute(_SAVE, article.article_id, article.revision, article.retired)
        if not article.retired:
            about = content.about
            said = (content.title, content.body, content.language, list(content.tags))
            filed = (about.product, about.version, about.os, content.visibility)
            await tx.execute(_ADD_REVISION, article.article_id, article.revision, *said, *filed, by, stated_us)

    async def rating(self, tx: Connection, command: Rate) -> Rating | None:
        """See Articles."""
        if command.agent_id is None:
            return None
        row = await tx.fetchrow(_RATING, command.article_id, command.agent_id, command.request_id or "")
        return None if row is None else Rating(row["score"], row["revision"], row["event_id"])

    async def rate(self, tx: Connection, command: Rate, rating: Rating, moved: tuple[int, int]) -> None:
        """See Articles."""
        if command.agent_id is not None:
            who = command.article_id, command.agent_id, command.request_id or ""
            await tx.execute(_RATE, *who, rating.revision, rating.score, rating.event_id)
        await tx.execute(_MOVE_RATINGS, command.article_id, *moved)

    async def use(self, tx: Connection, article_id: str) -> None:
        """See Articles."""
        await tx.execute(_USE, article_id)


@dataclass(frozen=True, slots=True)
class Change:
    """An article that was written; `entry` is None where it is not found any more, `number` its transaction's."""

    article_id: str
    number: int
    entry: Entry | None


async def bound(connection: Connection) -> int:
    """The number below which no transaction will ever write again: read the next changes from here on.

    Ask for it in a statement before `changes`, so that what commits in between is read twice rather than never.
    """
    number: int = await connection.fetchval(_BOUND)
    return number


async def changes(
    connection: Connection, *, since: int, after: str, limit: int, without_retired: bool = False
) -> list[Change]:
    """What was written by transactions from `since` on, by article id, from behind `after` on."""
    rows = await connection.fetch(_CHANGES, str(since), after, limit, without_retired)
    return [Change(row["article_id"], row["number"], None if row["retired"] else _entry(row)) for row in rows]


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(row["article_id"], row["revision"], _content(row), row["ratings"], row["rating_sum"])


def _standing(row: asyncpg.Record) -> Standing:
    article = Article(row["article_id"], row["revision"], row["retired"], _content(row))
    return Standing(article, row["ratings"], row["rating_sum"], row["uses"])


def _revision(row: asyncpg.Record) -> Revision:
    return Revision(row["article_id"], row["revision"], _content(row), row["by"], row["stated_us"])


def _content(row: asyncpg.Record) -> Content:
    about = About(row["product"], row["version"], row["os"])
    return Content(row["title"], row["body"], row["language"], tuple(row["tags"]), about, row["visibility"])
