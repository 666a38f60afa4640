"""The table of gaps."""

from collections.abc import Mapping, Sequence
from typing import Final

from chassis.database import Connection
from chassis.paging import Position
from kb_search.app.ports import Gap
from kb_search.domain.gaps import Source

_COUNT: Final = """
insert into gaps as g (source, asked, times, first_us, last_us)
select $1, asked, times, $4, $4 from unnest($2::text[], $3::bigint[]) i(asked, times) order by asked
on conflict (source, asked) do update set times = g.times + excluded.times, last_us = greatest(g.last_us, $4)
"""
_PAGE: Final = """
select source, asked, times, first_us, last_us from gaps
where ($1::text is null or source = $1) and ($2::bigint is null or (-times, source, asked) > (-$2::bigint, $3, $4))
order by times desc, source, asked limit $5
"""


class SqlGaps:
    """See `ports.Gaps`."""

    async def count(self, tx: Connection, source: Source, asked: Mapping[str, int], *, now_us: int) -> None:
        """See Gaps."""
        if asked:
            await tx.execute(_COUNT, source, list(asked), list(asked.values()), now_us)

    async def page(
        self, connection: Connection, source: Source | None, *, after: Sequence[Position] | None, limit: int
    ) -> list[Gap]:
        """See Gaps."""
        place = after or (None, "", "")
        return [Gap(*row) for row in await connection.fetch(_PAGE, source, *place, limit)]
