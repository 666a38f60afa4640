"""What agents do with articles beside their requests: suggestions used, bookmarks kept and shared, gaps read."""

from collections.abc import Sequence

from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.errors import Conflict, NotFound
from chassis.paging import Position, encode_cursor
from kb_search.app.commands import Commands, Turn
from kb_search.app.ports import Articles, Bookmark, Bookmarks, Gaps, Requests
from kb_search.app.rendering import Json, bookmark_object, found_object, gap_object, rendered
from kb_search.domain.gaps import Source
from kb_search.domain.suggestions import Used, used


class Desk:
    """The use cases around a request and an agent. Answers are JSON as the contract has it."""

    def __init__(
        self,
        db: Database,
        articles: Articles,
        requests: Requests,
        bookmarks: Bookmarks,
        gaps: Gaps,
        commands: Commands,
        clock: Clock,
    ) -> None:
        self._db = db
        self._articles = articles
        self._requests = requests
        self._bookmarks = bookmarks
        self._gaps = gaps
        self._commands = commands
        self._clock = clock

    async def suggestions(self, request_id: str, *, after: int, limit: int) -> Json:
        """What is shown for a request behind this place. Raises NotFound where none of its words have come here yet."""
        async with self._db.connection() as connection:
            shown = await self._requests.shown(connection, request_id)
        if shown is None:
            raise _unheard(request_id)
        end = after + limit
        following = encode_cursor([end]) if len(shown) > end else None
        return {"items": [found_object(each) for each in shown[after:end]], "next_cursor": following}

    async def use(self, command: Used, key: Use | None) -> bytes:
        """What was stated. Used again by the same agent: what was stated first. An article that was never suggested
        may be used too; a retired one as well, for the agent had it open. Raises NotFound."""

        async def work(turn: Turn) -> bytes:
            last_us, stood = await self._requests.stood(turn.tx, command.request_id, command.article_id)
            if last_us is None:
                raise _unheard(command.request_id)
            revision = (await self._articles.load(turn.tx, command.article_id)).article.revision
            if revision == 0:
                raise _unwritten(command.article_id)
            before = await self._requests.used(turn.tx, command)
            if before is not None:
                return rendered(_use_object(command, *before))
            fact = used(command, revision=revision, stood=stood)
            cause = stood.event_id if stood else None
            event_id, _ = await turn.state(
                fact, stream=command.request_id, key=command.request_id, causation_id=cause, floor_us=last_us
            )
            await self._requests.use(turn.tx, command, event_id=event_id, revision=fact.revision, place=fact.place)
            await self._articles.use(turn.tx, command.article_id)
            return rendered(_use_object(command, event_id, fact.revision, fact.place))

        return await self._commands.take(key, command.request_id, work)

    async def bookmark(self, agent_id: str, article_id: str, shared_with: Sequence[str], key: Use | None) -> bytes:
        """The bookmark. Raises NotFound for an article that nobody wrote, Conflict for a retired one."""

        async def work(turn: Turn) -> bytes:
            article = (await self._articles.load(turn.tx, article_id)).article
            if article.revision == 0:
                raise _unwritten(article_id)
            if article.retired and await self._bookmarks.get(turn.tx, agent_id, article_id) is None:
                raise Conflict("The article is retired: mark another.", state="retired", holder=None)
            shares = tuple(dict.fromkeys(shared_with))
            await self._bookmarks.put(turn.tx, Bookmark(agent_id, article_id, shares, turn.now_us))
            kept = await self._bookmarks.get(turn.tx, agent_id, article_id)
            assert kept is not None
            return rendered(bookmark_object(kept))

        return await self._commands.take(key, _marks(agent_id), work)

    async def bookmarked(self, agent_id: str, article_id: str) -> Json:
        """One bookmark of his own. Raises NotFound."""
        async with self._db.connection() as connection:
            bookmark = await self._bookmarks.get(connection, agent_id, article_id)
        if bookmark is None:
            raise NotFound(f"{agent_id} has no bookmark on {article_id}.")
        return bookmark_object(bookmark)

    async def bookmarks(self, agent_id: str, teams: Sequence[str], *, after: tuple[str, str], limit: int) -> Json:
        """His own bookmarks, and those shared with him or with one of these teams."""
        async with self._db.connection() as connection:
            rows = await self._bookmarks.seen_by(connection, agent_id, teams, after=after, limit=limit + 1)
        shown = rows[:limit]
        following = encode_cursor([shown[-1].agent_id, shown[-1].article_id]) if len(rows) > limit else None
        return {"items": [bookmark_object(each) for each in shown], "next_cursor": following}

    async def unmark(self, agent_id: str, article_id: str, key: Use | None) -> None:
        """Takes a bookmark away; where there is none there is nothing to do."""

        async def work(turn: Turn) -> bytes:
            await self._bookmarks.remove(turn.tx, agent_id, article_id)
            return b""

        await self._commands.take(key, _marks(agent_id), work)

    async def gaps(self, source: Source | None, *, after: Sequence[Position] | None, limit: int) -> Json:
        """What was asked and not found, the most asked first."""
        async with self._db.connection() as connection:
            rows = await self._gaps.page(connection, source, after=after, limit=limit + 1)
        shown = rows[:limit]
        last = shown[-1] if len(rows) > limit else None
        following = encode_cursor([last.times, last.source, last.asked]) if last else None
        return {"items": [gap_object(each) for each in shown], "next_cursor": following}


def _marks(agent_id: str) -> str:
    return f"bookmarks:{agent_id}"


def _use_object(command: Used, event_id: str, revision: int, place: int | None) -> Json:
    return {
        "request_id": command.request_id,
        "article_id": command.article_id,
        "revision": revision,
        "place": place,
        "event_id": event_id,
    }


def _unheard(request_id: str) -> NotFound:
    return NotFound(f"Nothing of the request {request_id} has come here: imported ones do not, new ones in a moment.")


def _unwritten(article_id: str) -> NotFound:
    return NotFound(f"There is no article {article_id}.")
