"""The table of bookmarks."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from chassis.database import Connection
from kb_search.app.ports import Bookmark

_COLUMNS: Final = """
select b.agent_id, b.article_id, b.shared_with, b.made_us, r.title, a.revision, a.retired
from bookmarks b join articles a using (article_id) join article_revisions r using (article_id, revision)
"""
_PUT: Final = """
insert into bookmarks (agent_id, article_id, shared_with, made_us) values ($1, $2, $3, $4)
on conflict (agent_id, article_id) do update set shared_with = $3
"""
_GET: Final = f"{_COLUMNS} where b.agent_id = $1 and b.article_id = $2"
_REMOVE: Final = "delete from bookmarks where agent_id = $1 and article_id = $2 returning 1"
_SEEN: Final = f"""
{_COLUMNS} where (b.agent_id = $1 or b.shared_with && $2::text[]) and (b.agent_id, b.article_id) > ($3, $4)
order by b.agent_id, b.article_id limit $5
"""


class SqlBookmarks:
    """See `ports.Bookmarks`."""

    async def put(self, tx: Connection, bookmark: Bookmark) -> None:
        """See Bookmarks."""
        await tx.execute(_PUT, bookmark.agent_id, bookmark.article_id, list(bookmark.shared_with), bookmark.made_us)

    async def get(self, connection: Connection, agent_id: str, article_id: str) -> Bookmark | None:
        """See Bookmarks."""
        row = await connection.fetchrow(_GET, agent_id, article_id)
        return None if row is None else _bookmark(row)

    async def remove(self, tx: Connection, agent_id: str, article_id: str) -> bool:
        """See Bookmarks."""
        return await tx.fetchval(_REMOVE, agent_id, article_id) is not None

    async def seen_by(
        self, connection: Connection, agent_id: str, teams: Sequence[str], *, after: tuple[str, str], limit: int
    ) -> list[Bookmark]:
        """See Bookmarks."""
        shares = [f"agent:{agent_id}", *(f"team:{team}" for team in teams)]
        return [_bookmark(row) for row in await connection.fetch(_SEEN, agent_id, shares, *after, limit)]


def _bookmark(row: asyncpg.Record) -> Bookmark:
    shared_with = tuple(row["shared_with"])
    about = (row["title"], row["revision"], row["retired"])
    return Bookmark(row["agent_id"], row["article_id"], shared_with, row["made_us"], *about)
