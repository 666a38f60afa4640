"""What the relay reads: committed event rows in an order that no later commit can slip into, and how much waits."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import asyncpg

from chassis.relay_lease import Place

ROUND_ROWS: Final = 2_000
ROUND_BYTES: Final = 4 * 1024 * 1024
_COUNTED_EXACTLY: Final = 10_000

# A transaction below the snapshot's xmin has ended, so all that it wrote is to be seen, and none will come below it
# any more (architecture, law 2). The sum bounds a round by bytes: its first row is always taken. One snapshot tells the
# rows and whether others are held back, so that nobody has to look again for what no commit has announced since.
_READ: Final = """
select held_back, txid, id, topic, key, payload, event_id::text, type, schema_version, source, occurred_us, version,
       causation_id::text, correlation_id::text, clock_us, traceparent
from (
    select exists (
        select from events
        where (txid, id) > ($1::xid8, $2::bigint) and txid >= pg_snapshot_xmin(pg_current_snapshot())
    ) as held_back
) held
left join (
    select *, sum(octet_length(payload)) over (order by txid, id) - octet_length(payload) as bytes_before
    from (
        select * from events
        where (txid, id) > ($1::xid8, $2::bigint) and txid < pg_snapshot_xmin(pg_current_snapshot())
        order by txid, id limit $3
    ) waiting
) summed on bytes_before < $4
order by txid, id
"""
_LOOK: Final = """
with place as materialized (select txid, id from relay_lease where name = 'relay'),
waiting as materialized (
    select e.txid, e.id, e.stored_at from events e, place p
    where (e.txid, e.id) > (p.txid, p.id) order by e.txid, e.id limit $1
)
select (select count(*) from waiting) as counted,
       (select max(e.id) from events e) - (select p.id from place p) as about,
       (select extract(epoch from clock_timestamp() - stored_at)::float8 from waiting limit 1) as age_s,
       pg_snapshot_xmin(pg_current_snapshot()) as xmin,
       pg_snapshot_xmax(pg_current_snapshot()) as xmax,
       greatest((select txid from place), (select e.txid from events e order by e.txid desc limit 1)) as newest
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The outbox at one moment: rows that Kafka has not acknowledged, the age of the oldest in seconds (0 for none),
    the number (xid) of the oldest running transaction and of the next one, and the newest that stands in the tables."""

    rows: int
    age_s: float
    xmin: int
    xmax: int
    newest: int

    @property
    def from_another_cluster(self) -> bool:
        """Whether the tables hold numbers that this cluster has not given out: a dump restored into a new one.

        New rows would then lie below the cursor, and the relay would say nothing of them for ever.
        """
        return self.newest >= self.xmax


class Round(NamedTuple):
    """What may be published next, and whether committed rows behind it must wait for an older transaction's end."""

    rows: list[asyncpg.Record]
    held_back: bool

    @property
    def is_full(self) -> bool:
        """Whether rows may have been left for the next round. What comes later is announced by its commit."""
        return len(self.rows) == ROUND_ROWS or sum(len(row["payload"]) for row in self.rows) >= ROUND_BYTES


async def read(connection: asyncpg.Connection, after: Place) -> Round:
    """The next round: at most 2,000 rows and about 4 MiB, at least one row where there is one.

    A row is (held back, txid, id, topic, key, payload, event id, type, schema version, source, occurred_us, sequence,
    causation id, correlation id, clock_us, traceparent): the driver's own record, since a class of ours would double
    its price.
    """
    rows = await connection.fetch(_READ, after.txid, after.id, ROUND_ROWS, ROUND_BYTES)
    return Round(rows if rows[0]["txid"] is not None else [], rows[0]["held_back"])


def place_of(row: asyncpg.Record) -> Place:
    """Where the row stands in the relay's order."""
    return Place(row[1], row[2])


async def look(connection: asyncpg.Connection) -> Look:
    """One cheap statement: counted up to 10,000 rows, beyond that estimated from the ids."""
    row = await connection.fetchrow(_LOOK, _COUNTED_EXACTLY + 1)
    assert row is not None
    counted = row["counted"]
    rows = counted if counted <= _COUNTED_EXACTLY else max(counted, row["about"])
    return Look(rows, max(0.0, row["age_s"] or 0.0), row["xmin"], row["xmax"], row["newest"] or 0)
