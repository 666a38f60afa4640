"""The tables of requests: what was said (sealed, as it came), what waits to be looked up, is shown, was used."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg

from chassis.database import Connection
from kb_search.app.ports import Renewed, Shown, Spoken, Times, Waiting
from kb_search.domain.content import About
from kb_search.domain.suggestions import Listed, Matter, Used

KEPT: Final = 8
"""So many of the last contacts and messages of a request are kept."""

_HEAR: Final = """
with heard as (
    insert into requests as q
        (request_id, product, version, os, language, asked, last_us, received_us, due_us)
    values ($1, $2, $3, $4, $5, $6::text::uuid, $7, $8, $9)
    on conflict (request_id) do update set
        product = coalesce($2, q.product), version = coalesce($3, q.version), os = coalesce($4, q.os),
        language = coalesce($5, q.language), asked = $6::text::uuid, last_us = greatest(q.last_us, $7),
        received_us = $8, due_us = $9
)
insert into said (request_id, event_id, type, schema_version, said_us, payload)
values ($1, $6::text::uuid, $10, $11, $8, $12)
"""
_WAITING: Final = """
select request_id, product, version, os, language, asked::text, last_us, received_us,
       exists (select from suggestions s where s.request_id = requests.request_id) as has_list
from requests
where due_us is not null and (request_id = any($1::text[]) or due_us <= $2) order by due_us, request_id limit $3
"""
_SAID: Final = """
select request_id, event_id::text, type, schema_version, payload from said where request_id = any($1::text[]) order by n
"""
_LISTED: Final = """
select request_id, article_id, revision, place, event_id::text, listed from suggestions
where request_id = any($1::text[])
"""
_NEXT_DUE: Final = "select min(due_us) from requests where due_us is not null"
# Rows that the consumer holds at this moment get new words: they wait on, and nobody waits for them here.
_TAKE: Final = """
with mine as (
    select r.request_id from requests r join unnest($1::text[], $2::text[]) i(request_id, asked) using (request_id)
    where r.asked = i.asked::uuid and r.due_us is not null for update of r skip locked
)
update requests r set due_us = null from mine where r.request_id = mine.request_id returning r.request_id
"""
_PUT_OFF: Final = """
update requests r set due_us = i.due_us
from unnest($1::text[], $2::text[], $3::bigint[]) i(request_id, asked, due_us)
where r.request_id = i.request_id and r.asked = i.asked::uuid and r.due_us is not null
"""
_UNLIST: Final = "update suggestions set listed = false where request_id = any($1::text[]) and listed"
_LIST: Final = """
insert into suggestions (request_id, article_id, revision, place, score, title, snippet, listed, event_id)
select request_id, article_id, revision, place, score, title, snippet, true, event_id::uuid
from unnest($1::text[], $2::text[], $3::int[], $4::smallint[], $5::float8[], $6::text[], $7::text[], $8::text[])
    i(request_id, article_id, revision, place, score, title, snippet, event_id)
on conflict (request_id, article_id) do update set
    revision = excluded.revision, place = excluded.place, score = excluded.score, title = excluded.title,
    snippet = excluded.snippet, listed = true, event_id = excluded.event_id
"""
_PRUNE: Final = """
delete from said s using (
    select request_id, n, row_number() over (partition by request_id order by n desc) as age
    from said where request_id = any($1::text[])
) old
where s.request_id = old.request_id and s.n = old.n and old.age > $2
"""
_LET_GO: Final = "delete from said where request_id = any($1::text[])"
_SHOWN: Final = """
select s.article_id, s.revision, s.title, s.snippet, s.score
from suggestions s join articles a using (article_id)
where s.request_id = $1 and s.listed and not a.retired order by s.place
"""
_KNOWN: Final = "select last_us from requests where request_id = $1"
_STOOD: Final = """
select article_id, revision, place, event_id::text, listed from suggestions where request_id = $1 and article_id = $2
"""
_USED: Final = """
select event_id::text, revision, place from suggestion_uses
where request_id = $1 and article_id = $2 and agent_id = $3
"""
_USE: Final = """
insert into suggestion_uses (request_id, article_id, agent_id, event_id, revision, place)
values ($1, $2, $3, $4::text::uuid, $5, $6)
"""


class SqlRequests:
    """See `ports.Requests`."""

    async def hear(self, tx: Connection, request_id: str, spoken: Spoken, matter: Matter, *, times: Times) -> None:
        """See Requests. One statement, for each record of the log takes one."""
        about = matter.about
        said = (about.product, about.version, about.os, matter.language, spoken.event_id)
        when = (times.occurred_us, times.received_us, times.due_us)
        await tx.execute(_HEAR, request_id, *said, *when, spoken.type, spoken.version, spoken.payload)

    async def waiting(self, connection: Connection, *, ids: Iterable[str], due_us: int, most: int) -> list[Waiting]:
        """See Requests."""
        rows = await connection.fetch(_WAITING, list(ids), due_us, most)
        wanted = [row["request_id"] for row in rows]
        if not wanted:
            return []
        said: defaultdict[str, list[Spoken]] = defaultdict(list)
        for row in await connection.fetch(_SAID, wanted):
            said[row["request_id"]].append(Spoken(*list(row)[1:]))
        listed: defaultdict[str, list[Listed]] = defaultdict(list)
        if any(row["has_list"] for row in rows):
            for row in await connection.fetch(_LISTED, wanted):
                listed[row["request_id"]].append(_listed(row))
        return [_waiting(row, said[row["request_id"]], listed[row["request_id"]]) for row in rows]

    async def next_due(self, connection: Connection) -> int | None:
        """See Requests."""
        due_us: int | None = await connection.fetchval(_NEXT_DUE)
        return due_us

    async def take(self, tx: Connection, waiting: Sequence[Waiting]) -> set[str]:
        """See Requests."""
        rows = await tx.fetch(_TAKE, [each.request_id for each in waiting], [each.asked for each in waiting])
        return {row["request_id"] for row in rows}

    async def put_off(self, connection: Connection, waiting: Sequence[Waiting], *, due_us: Sequence[int]) -> None:
        """See Requests."""
        in_order = sorted(zip(waiting, due_us, strict=True), key=lambda pair: pair[0].request_id)
        ids, asked = [each.request_id for each, _ in in_order], [each.asked for each, _ in in_order]
        await connection.execute(_PUT_OFF, ids, asked, [due for _, due in in_order])

    async def renew(self, tx: Connection, renewed: Sequence[Renewed]) -> None:
        """See Requests."""
        if long := [each.waiting.request_id for each in renewed if len(each.waiting.said) > KEPT]:
            await tx.execute(_PRUNE, long, KEPT)
        if broken := [each.waiting.request_id for each in renewed if each.is_broken]:
            await tx.execute(_LET_GO, broken)
        changed = [each for each in renewed if each.event_id is not None]
        if not changed:
            return
        if listed := [each.waiting.request_id for each in changed if each.waiting.listed]:
            await tx.execute(_UNLIST, listed)
        rows = [
            (each.waiting.request_id, f.article_id, f.revision, place, f.score, f.title, f.snippet, each.event_id)
            for each in changed
            for place, f in enumerate(each.found, start=1)
        ]
        if rows:
            await tx.execute(_LIST, *map(list, zip(*rows, strict=True)))

    async def shown(self, connection: Connection, request_id: str) -> list[Shown] | None:
        """See Requests."""
        if await connection.fetchval(_KNOWN, request_id) is None:
            return None
        return [Shown(*row) for row in await connection.fetch(_SHOWN, request_id)]

    async def stood(self, tx: Connection, request_id: str, article_id: str) -> tuple[int | None, Listed | None]:
        """See Requests."""
        last_us: int | None = await tx.fetchval(_KNOWN, request_id)
        row = await tx.fetchrow(_STOOD, request_id, article_id)
        return last_us, None if row is None else _listed(row)

    async def used(self, tx: Connection, command: Used) -> tuple[str, int, int | None] | None:
        """See Requests."""
        row = await tx.fetchrow(_USED, command.request_id, command.article_id, command.agent_id or "")
        return None if row is None else (row["event_id"], row["revision"], row["place"])

    async def use(self, tx: Connection, command: Used, *, event_id: str, revision: int, place: int | None) -> None:
        """See Requests."""
        who = command.request_id, command.article_id, command.agent_id or ""
        await tx.execute(_USE, *who, event_id, revision, place)


def _waiting(row: asyncpg.Record, said: Sequence[Spoken], listed: Sequence[Listed]) -> Waiting:
    return Waiting(
        request_id=row["request_id"],
        matter=Matter(About(row["product"], row["version"], row["os"]), row["language"]),
        asked=row["asked"],
        last_us=row["last_us"],
        received_us=row["received_us"],
        said=tuple(said),
        listed=tuple(listed),
    )


def _listed(row: asyncpg.Record) -> Listed:
    return Listed(row["article_id"], row["revision"], row["place"], row["event_id"], row["listed"])
