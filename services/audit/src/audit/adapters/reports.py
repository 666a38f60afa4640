"""Exact durations over many requests, counted and sorted by PostgreSQL over the summary rows."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import asyncpg

from audit.adapters.records import Records
from audit.app.ports import Wanted
from audit.domain.cursor import Partition
from audit.domain.report import Figures
from audit.domain.summary import PROJECTION, Summary, summarise
from chassis.database import Connection, Database
from events.lifecycle import REPORTED
from events.lifecycle.report import PERCENTILES, SHORT_ABANDON_US

COLUMN_OF: Final = {
    "channel": "channel",
    "queue": "report_queue",
    "tier": "report_tier",
    "agent_id": "report_agent_id",
    "support_level": "support_level",
    "severity": "severity",
}
"""What a report is grouped by → the column, and the member of a summary, that holds it."""

_NUMBERS: Final = frozenset({"tier", "severity"})
_METRICS: Final = [f"m{number}" for number in range(len(REPORTED))]
_ABANDON: Final = [metric.name for metric in REPORTED].index("abandon_us")
_AT_ONCE: Final = 100
_PATIENCE_S: Final = 9.5

_STALE: Final = """
    select request_id from {schema}.requests
    where first_known_us <= $1 and (last_known_us > $1 or projection <> $2) and earliest_us < $4 and latest_us >= $3
    order by request_id
"""
# Each request brings a row of numbers, the first being whether it was abandoned at once. Nearest rank by whole numbers:
# percentile_disc would multiply by a float.
_REPORT: Final = """
    with counted as (
        select {held_keys} metrics from {schema}.requests
        where {cohort}_us >= $1 and {cohort}_us < $2 and last_known_us <= $3 and projection = $4
        union all
        select {given_keys} array[{metrics}]::bigint[] from unnest({arrays}) given({given})
    ), numbers as (
        select {keys} number - 1 as number, value
        from counted, unnest(array_prepend((coalesce(metrics[{abandon}], {short}) < {short})::int::bigint, metrics))
            with ordinality each(value, number)
        where value is not null
    ), sorted as (
        select {keys} number, count(*) as n, sum(value) as total, array_agg(value order by value) as a
        from numbers group by {keys} number
    )
    select {keys} number, n, total, a[1], {percentiles}, a[n] from sorted
"""
_LATEST_KNOWN: Final = """
    select max(last.known_us) from unnest($1::text[], $2::int[]) part(topic, partition)
    cross join lateral (
        select known_us from {schema}.records
        where topic = part.topic and partition = part.partition order by "offset" desc limit 1
    ) last
"""


class SqlReports:
    """Reads reports in one schema, each from a single snapshot; see the port `Reports`."""

    def __init__(self, db: Database, schema: str, layout: Sequence[Partition]) -> None:
        """`layout` names all partitions of the log."""
        self._db = db
        self._schema = schema
        self._records = Records(schema)
        self._layout = layout
        self._stale = _STALE.format(schema=schema)
        self._latest = _LATEST_KNOWN.format(schema=schema)

    async def figures(self, wanted: Wanted) -> tuple[int | None, list[Figures]]:
        """See Reports.

        Requests that have changed since `as_of_us` are folded again from what was known then, and only then asked for
        the cohort's time; so are those whose row another projection made.
        """
        async with (
            self._db.connection(within_s=_PATIENCE_S) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            latest_us = await connection.fetchval(self._latest, *zip(*self._layout, strict=True))
            as_of_us = latest_us if wanted.as_of_us is None else wanted.as_of_us
            if as_of_us is None:
                return None, []
            refolded = [summary async for summary in self._refolded(connection, wanted, as_of_us)]
            arguments = (wanted.from_us, wanted.to_us, as_of_us, PROJECTION, *_arrays(wanted.group_by, refolded))
            rows = await connection.fetch(self._sql(wanted), *arguments)
        return as_of_us, [_figures(row, len(wanted.group_by)) for row in rows]

    async def _refolded(self, connection: Connection, wanted: Wanted, as_of_us: int) -> AsyncIterator[Summary]:
        stale = await connection.fetch(self._stale, as_of_us, PROJECTION, wanted.from_us, wanted.to_us)
        for at in range(0, len(stale), _AT_ONCE):
            ids = [row["request_id"] for row in stale[at : at + _AT_ONCE]]
            for request_id, history in (await self._records.histories(connection, ids, as_of_us=as_of_us)).items():
                summary = summarise(request_id, history)
                time_us = getattr(summary, f"{wanted.cohort}_us")
                if time_us is not None and wanted.from_us <= time_us < wanted.to_us:
                    yield summary

    def _sql(self, wanted: Wanted) -> str:
        types = ["bigint" if name in _NUMBERS else "text" for name in wanted.group_by] + ["bigint"] * len(REPORTED)
        keys = [f"key{number}" for number in range(len(wanted.group_by))]
        ranks = ", ".join(f"a[({share} * n + 99) / 100]" for share in PERCENTILES)
        return _REPORT.format(
            schema=self._schema,
            cohort=wanted.cohort,
            keys="".join(f"{key}, " for key in keys),
            held_keys="".join(f"{COLUMN_OF[name]} as {key}, " for name, key in zip(wanted.group_by, keys, strict=True)),
            given_keys="".join(f"{key}, " for key in keys),
            given=", ".join([*keys, *_METRICS]),
            metrics=", ".join(_METRICS),
            arrays=", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, start=5)),
            abandon=_ABANDON + 1,
            short=SHORT_ABANDON_US,
            percentiles=ranks,
        )


def _arrays(group_by: Sequence[str], refolded: Sequence[Summary]) -> list[list[Any]]:
    keys = [[getattr(summary, COLUMN_OF[name]) for summary in refolded] for name in group_by]
    return keys + [[summary.metrics[number] for summary in refolded] for number in range(len(REPORTED))]


def _figures(row: asyncpg.Record, width: int) -> Figures:
    number, count, total, least, *percentiles, greatest = row[width:]
    return Figures(tuple(row[:width]), number, count, int(total), least, tuple(percentiles), greatest)
