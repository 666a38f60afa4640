"""Articles: written, revised, retired, read, rated."""

from typing import Final

from chassis.commands import Use
from chassis.database import Connection, Database
from chassis.errors import Invalid, NotFound, PreconditionFailed
from chassis.paging import encode_cursor
from chassis.signals import Signals
from kb_search.app.commands import Commands, Turn
from kb_search.app.ports import Articles, Freshness, Revision, Standing
from kb_search.app.rendering import Json, article_object, rendered
from kb_search.domain.articles import (
    Article,
    ChangedMeanwhile,
    NoSuchArticle,
    Put,
    Retire,
    put,
    retire,
    stated,
)
from kb_search.domain.ratings import Rate, Rating, moved, rated

CHANNEL: Final = "articles"
"""The signal that an article was written."""


class Library:
    """The use cases of articles. Answers are JSON as the contract has it."""

    def __init__(
        self, db: Database, articles: Articles, commands: Commands, signals: Signals, freshness: Freshness
    ) -> None:
        self._db = db
        self._articles = articles
        self._commands = commands
        self._signals = signals
        self._freshness = freshness

    async def put(self, command: Put, use: Use | None) -> bytes:
        """The article as it then stands. Raises PreconditionFailed."""

        async def work(turn: Turn) -> bytes:
            standing = await self._articles.load(turn.tx, command.article_id)
            try:
                after = put(standing.article, command)
            except ChangedMeanwhile as changed:
                raise _changed(changed) from changed
            await self._write(turn, standing.article, after, command.by)
            return rendered(await self._told(turn.tx, command.article_id))

        return await self._found_after(await self._commands.take(use, stream_of(command.article_id), work))

    async def retire(self, command: Retire, use: Use | None) -> None:
        """Raises NotFound, PreconditionFailed."""

        async def work(turn: Turn) -> bytes:
            standing = await self._articles.load(turn.tx, command.article_id)
            try:
                after = retire(standing.article, command)
            except NoSuchArticle as unknown:
                raise _unknown(command.article_id) from unknown
            except ChangedMeanwhile as changed:
                raise _changed(changed) from changed
            await self._write(turn, standing.article, after, command.by)
            return b""

        await self._found_after(await self._commands.take(use, stream_of(command.article_id), work))

    async def rate(self, command: Rate, use: Use | None) -> bytes:
        """What is said of it now. Raises NotFound for an article that nobody wrote, Invalid for a revision to come.

        A retired article may still be rated: it was read before.
        """

        async def work(turn: Turn) -> bytes:
            last = (await self._articles.load(turn.tx, command.article_id)).article.revision
            if last == 0:
                raise _unknown(command.article_id)
            if command.revision is not None and command.revision > last:
                raise Invalid([{"field": "revision", "reason": f"there are {last} revisions"}])
            return rendered(await self._rated(turn, command, last))

        return await self._commands.take(use, stream_of(command.article_id), work)

    async def read(self, article_id: str, number: int | None) -> Json:
        """The article, or one of its revisions. Raises NotFound; a retired one can be read by its revisions alone."""
        async with self._db.connection() as connection:
            standing = await self._articles.load(connection, article_id)
            if number is None and standing.article.retired:
                raise NotFound("This article is retired; ?revision= reads what it said.")
            revision = await self._articles.revision(connection, article_id, number or standing.article.revision)
        if revision is None:
            raise _unknown(article_id)
        return article_object(standing, revision)

    async def page(self, *, after: str, limit: int) -> Json:
        """The articles that are found, by their id."""
        async with self._db.connection() as connection:
            rows = await self._articles.page(connection, after=after, limit=limit + 1)
        items = [article_object(standing, revision) for standing, revision in rows[:limit]]
        following = encode_cursor([items[-1]["article_id"]]) if len(rows) > limit else None
        return {"items": items, "next_cursor": following}

    async def _write(self, turn: Turn, before: Article, after: Article, by: str | None) -> None:
        fact = stated(before, after, by=by)
        if fact is not None:
            article_id = after.article_id
            _, occurred_us = await turn.state(fact, stream=stream_of(article_id), key=article_id)
            await self._articles.save(turn.tx, after, by=by, stated_us=occurred_us)
            await self._signals.send(turn.tx, CHANNEL, article_id)

    async def _rated(self, turn: Turn, command: Rate, last: int) -> Json:
        before = await self._articles.rating(turn.tx, command)
        fact = rated(command, before, revision=last)
        if fact is None:
            assert before is not None
            return _rating_object(command, before)
        event_id, _ = await turn.state(fact, stream=stream_of(command.article_id), key=command.article_id)
        rating = Rating(command.score, fact.revision, event_id)
        await self._articles.rate(turn.tx, command, rating, moved(command, before))
        await self._signals.send(turn.tx, CHANNEL, command.article_id)
        return _rating_object(command, rating)

    async def _told(self, tx: Connection, article_id: str) -> Json:
        standing: Standing = await self._articles.load(tx, article_id)
        revision: Revision | None = await self._articles.revision(tx, article_id, standing.article.revision)
        assert revision is not None
        return article_object(standing, revision)

    async def _found_after(self, answer: bytes) -> bytes:
        """Whoever has written an article and then looks for it here finds it."""
        await self._freshness.caught_up()
        return answer


def stream_of(article_id: str) -> str:
    """The stream of an article's events."""
    return f"article:{article_id}"


def _rating_object(command: Rate, rating: Rating) -> Json:
    return {
        "article_id": command.article_id,
        "revision": rating.revision,
        "score": rating.score,
        "event_id": rating.event_id,
    }


def _unknown(article_id: str) -> NotFound:
    return NotFound(f"There is no article {article_id}, or no such revision of it.")


def _changed(changed: ChangedMeanwhile) -> PreconditionFailed:
    now = "there is none" if changed.revision is None else f"it is at revision {changed.revision}"
    return PreconditionFailed(f"The article is not what you have read: {now}. Read it again, then send your change.")
