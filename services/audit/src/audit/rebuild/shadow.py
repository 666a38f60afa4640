"""The schema in the making: made like the live one, filled, indexed without holding anybody up, and swapped by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from audit.adapters.schema import LIVE, RETIRED, SHADOW
from audit.domain.cursor import Partition
from audit.domain.summary import PROJECTION
from chassis.errors import Transient

_TABLES: Final = ("records", "requests")
# What a rebuild fills at its right end, or hardly at all: kept up while the log is read and PostgreSQL has little else
# to do. The others would be filled all over, so they are built when all is there.
_INDEXED_AT_ONCE: Final = frozenset(
    {"records_place", "records_occurred", "records_event", "requests_pkey", "requests_residual"}
)
# Nothing is ever looked for by the others, and to sample bytes and arrays costs more than all the rest.
_ANALYZED: Final = {
    "records": 'known_us, topic, partition, "offset", request_id, event_id, duplicate, type, occurred_us',
    "requests": "request_id, projection, customer_id, channel, state, queue, agent_id, received_us, connected_us,"
    " resolved_us, residual_us, first_known_us, last_known_us, earliest_us, latest_us",
}
_PARTITIONED: Final = "records"
_MONTHS: Final = """
    select child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bounds
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = to_regclass($1) order by child.relname
"""
_INDEXES: Final = """
    select index.relname as name, pg_get_indexdef(index.oid) as definition, indisprimary as is_primary
    from pg_index join pg_class index on index.oid = indexrelid
    where indrelid = to_regclass($1) order by index.relname
"""
_INVALID: Final = """
    select index.relname from pg_index join pg_class index on index.oid = indexrelid
    join pg_namespace space on space.oid = index.relnamespace
    join pg_class held on held.oid = indrelid
    where space.nspname = $1 and not indisvalid and held.relkind = 'r'
"""


class Overtaken(Transient):
    """The shadow is not as this process left it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an earlier attempt came. `bounds` are where the first reading ends, `places` what has been read."""

    bounds: Mapping[Partition, int]
    places: Mapping[Partition, int]
    source: str


class Shadow:
    """All statements are short transactions of their own, but for those that build an index concurrently."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def progress(self) -> Progress | None:
        """What an earlier attempt has left that can be gone on with; None where there is nothing of use."""
        connection = self._connection
        if not await connection.fetchval("select to_regclass($1) is not null", f"{SHADOW}.rebuild_astray"):
            return None
        row = await connection.fetchrow(f"select projection, revision, source from {SHADOW}.rebuild")
        if row is None or (row["projection"], row["revision"]) != (PROJECTION, await self._revision()):
            return None
        rows = await connection.fetch(f"select topic, partition, bound, next_offset from {SHADOW}.rebuild_offsets")
        bounds = {(topic, partition): bound for topic, partition, bound, _ in rows}
        places = {(topic, partition): offset for topic, partition, _, offset in rows}
        return Progress(bounds, places, row["source"])

    async def make(self, bounds: Mapping[Partition, int], source: str) -> Progress:
        """Throws away what is left of earlier attempts and makes empty tables like the live ones, without indexes."""
        await self.drop(SHADOW)
        async with self._connection.transaction():
            await self._connection.execute(f"create schema {SHADOW}")
            for table in _TABLES:
                await self._make_table(table)
            await self._connection.execute(
                f"create table {SHADOW}.rebuild (projection int, revision text, source text)"
            )
            await self._connection.execute(f"create table {SHADOW}.rebuild_astray (request_id text)")
            await self._connection.execute(
                f"create table {SHADOW}.rebuild_offsets"
                " (topic text, partition int, bound bigint, next_offset bigint, primary key (topic, partition))"
            )
            await self._connection.execute(
                f"insert into {SHADOW}.rebuild values ($1, $2, $3)", PROJECTION, await self._revision(), source
            )
            await self._connection.executemany(
                f"insert into {SHADOW}.rebuild_offsets values ($1, $2, $3, 0)",
                [(*partition, bound) for partition, bound in bounds.items()],
            )
        return Progress(bounds, dict.fromkeys(bounds, 0), source)

    async def _make_table(self, table: str) -> None:
        like = f"(like {LIVE}.{table} including defaults including constraints including storage)"
        options = await self._connection.fetchval(
            "select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass($1)", f"{LIVE}.{table}"
        )
        partitioned = " partition by range (known_us)" if table == _PARTITIONED else ""
        kept = f" with ({options})" if options else ""
        await self._connection.execute(f"create table {SHADOW}.{table} {like}{partitioned}{kept}")
        if partitioned:
            # Every month that the live one has: its process believes these to be there.
            for month in await self._connection.fetch(_MONTHS, f"{LIVE}.{table}"):
                await self._connection.execute(
                    f"create table {SHADOW}.{month['name']} partition of {SHADOW}.{table} {month['bounds']}"
                )
        for row in await self._connection.fetch(_INDEXES, f"{LIVE}.{table}"):
            if row["name"] in _INDEXED_AT_ONCE:
                await self._connection.execute(_in_shadow(row["definition"], table))
                await self._name_primary(table, row)

    async def index(self, table: str) -> None:
        """Gives a table of the shadow the live one's indexes, as far as it lacks them."""
        for (name,) in await self._connection.fetch(_INVALID, SHADOW):
            await self._connection.execute(f"drop index concurrently if exists {SHADOW}.{name}")
        for row in await self._connection.fetch(_INDEXES, f"{LIVE}.{table}"):
            if await self._connection.fetchval("select to_regclass($1) is not null", f"{SHADOW}.{row['name']}"):
                continue
            if table == _PARTITIONED:
                await self._index_months(table, row["name"], row["definition"])
            else:
                await self._connection.execute(_concurrently(row["definition"], table, table))
                await self._name_primary(table, row)

    async def _name_primary(self, table: str, index: asyncpg.Record) -> None:
        if index["is_primary"]:
            name = index["name"]
            await self._connection.execute(
                f"alter table {SHADOW}.{table} add constraint {name} primary key using index {name}"
            )

    async def _index_months(self, table: str, name: str, definition: str) -> None:
        """A partitioned table cannot have an index made concurrently: each month gets its own, then they are joined."""
        months = [month["name"] for month in await self._connection.fetch(_MONTHS, f"{SHADOW}.{table}")]
        for month in months:
            own = f"{name}_{month.removeprefix(table + '_')}"
            if not await self._connection.fetchval("select to_regclass($1) is not null", f"{SHADOW}.{own}"):
                await self._connection.execute(
                    _concurrently(definition, table, month).replace(f" {name} ON ", f" {own} ON ", 1)
                )
        async with self._connection.transaction():
            # PostgreSQL tells the index of a partitioned table as one ON ONLY it.
            await self._connection.execute(definition.replace(f" ONLY {LIVE}.{table} ", f" ONLY {SHADOW}.{table} ", 1))
            for month in months:
                own = f"{name}_{month.removeprefix(table + '_')}"
                await self._connection.execute(f"alter index {SHADOW}.{name} attach partition {SHADOW}.{own}")

    async def analyze(self, table: str) -> None:
        """Tells the planner what is in a table."""
        await self._connection.execute(f"analyze {SHADOW}.{table} ({_ANALYZED[table]})")

    async def swap(self, tx: asyncpg.Connection) -> None:
        """Lets the shadow be the live schema, in the caller's transaction. No table is locked: only names change."""
        await tx.execute(f"drop table {SHADOW}.rebuild, {SHADOW}.rebuild_offsets, {SHADOW}.rebuild_astray")
        await tx.execute(f"alter schema {LIVE} rename to {RETIRED}")
        await tx.execute(f"alter schema {SHADOW} rename to {LIVE}")

    async def drop(self, schema: str) -> None:
        """Drops a schema, a table at a time: who still reads in one is waited for."""
        tables = await self._connection.fetch(
            "select relname from pg_class join pg_namespace space on space.oid = relnamespace"
            " where nspname = $1 and relkind = 'r'",
            schema,
        )
        for (table,) in tables:
            await self._connection.execute(f"drop table {schema}.{table}")
        await self._connection.execute(f"drop schema if exists {schema} cascade")

    async def _revision(self) -> str:
        return str(await self._connection.fetchval("select version_num from alembic_version"))


async def write_progress(tx: asyncpg.Connection, places: Mapping[Partition, int]) -> None:
    """Notes in the transaction of the records up to where they were read."""
    await tx.executemany(
        f"insert into {SHADOW}.rebuild_offsets values ($1, $2, 0, $3)"
        " on conflict (topic, partition) do update set next_offset = excluded.next_offset",
        [(*partition, offset) for partition, offset in places.items()],
    )


async def move(tx: asyncpg.Connection, partition: Partition, before: int, after: int) -> None:
    """Notes in the transaction of a partition's records up to where it was read.

    Raises Overtaken where it was not read up to `before`: a worker that outlives its rebuild writes nothing.
    """
    moved = await tx.execute(_MOVE, *partition, before, after)
    if moved != "UPDATE 1":
        raise Overtaken(
            f"another rebuild goes on with {partition[0]}/{partition[1]}: let it end, or run this one again"
        )


async def note_astray(tx: asyncpg.Connection, request_ids: Collection[str]) -> None:
    """Notes requests with records in partitions that are not their own: no worker has seen all of these."""
    if request_ids:
        await tx.execute(f"insert into {SHADOW}.rebuild_astray select unnest($1::text[])", list(request_ids))


async def forget_astray(tx: asyncpg.Connection) -> None:
    """Removes the summaries that were made from a part of a request's records."""
    await tx.execute(
        f"delete from {SHADOW}.requests where request_id in (select request_id from {SHADOW}.rebuild_astray)"
    )


_MOVE: Final = f"""
    update {SHADOW}.rebuild_offsets set next_offset = $4 where topic = $1 and partition = $2 and next_offset = $3
"""


def _in_shadow(definition: str, table: str) -> str:
    """The statement that makes an index of the live table for the shadow's, with all its months."""
    on = f" ON ONLY {LIVE}.{table} " if table == _PARTITIONED else f" ON {LIVE}.{table} "
    return definition.replace(on, f" ON {SHADOW}.{table} ", 1)


def _concurrently(definition: str, table: str, target: str) -> str:
    made = definition.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
    on = f" ONLY {LIVE}.{table} " if table == _PARTITIONED else f" {LIVE}.{table} "
    return made.replace(on, f" {SHADOW}.{target} ", 1)
