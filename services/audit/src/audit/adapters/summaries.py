"""Writes and reads the summary row per request, many at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from audit.app.ports import StaleHistory
from audit.domain.summary import Summary
from events.lifecycle import REPORTED

_TYPES: Final[Mapping[str, str]] = {
    "request_id": "text",
    "projection": "int",
    "customer_id": "text",
    "channel": "text",
    "support_level": "text",
    "severity": "bigint",
    "state": "text",
    "queue": "text",
    "tier": "bigint",
    "agent_id": "text",
    "report_queue": "text",
    "report_tier": "bigint",
    "report_agent_id": "text",
    "received_us": "bigint",
    "routed_us": "bigint",
    "connected_us": "bigint",
    "resolved_us": "bigint",
    "residual_us": "bigint",
    "first_known_us": "bigint",
    "last_known_us": "bigint",
    "earliest_us": "bigint",
    "latest_us": "bigint",
    "events": "bigint",
}
COLUMNS: Final = (*_TYPES, "metrics")

# unnest() flattens arrays of arrays, so that each metric travels as a column of its own.
_METRICS: Final = {f"m{number}": "bigint" for number in range(len(REPORTED))}
_BEFORE: Final = {"before": "bigint"}
_VALUES: Final = f"{', '.join(f'given.{name}' for name in _TYPES)}, array[{', '.join(_METRICS)}]::bigint[]"


class Summaries:
    """The table of summaries in one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        # The number of events that the new row rests on is the condition: whoever held less has read too early.
        self._update = (
            f"update {schema}.requests held set ({', '.join(COLUMNS)}) = row({_VALUES})"
            f" from {_rows(_TYPES, _METRICS, _BEFORE)}"
            " where held.request_id = given.request_id and held.events = given.before"
        )

    async def write(self, tx: asyncpg.Connection, changed: Sequence[tuple[int, Summary]]) -> None:
        """Stores each summary; the number beside it says of how many events the row before it was made, 0 for none.

        Raises StaleHistory where the database holds another row; nothing may be committed then.
        """
        ordered = sorted(changed, key=lambda pair: pair[1].request_id)
        try:
            await self.copy(tx, [summary for before, summary in ordered if before == 0])
        except asyncpg.UniqueViolationError as error:
            raise StaleHistory("a request that was held for new has a summary") from error
        known = [(summary, before) for before, summary in ordered if before != 0]
        if known:
            summaries, counts = zip(*known, strict=True)
            _all_taken(await tx.execute(self._update, *_arrays(summaries), counts), len(known))

    async def copy(self, tx: asyncpg.Connection, summaries: Sequence[Summary]) -> None:
        """Appends the summaries of new requests: by COPY, which costs a fraction of arrays of parameters."""
        if summaries:
            await tx.copy_records_to_table("requests", schema_name=self._schema, columns=COLUMNS, records=summaries)


def _rows(*kinds: Mapping[str, str]) -> str:
    given = {name: type_ for kind in kinds for name, type_ in kind.items()}
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(given.values(), start=1))
    return f"unnest({arrays}) given({', '.join(given)})"


def _arrays(summaries: Sequence[Summary]) -> list[Sequence[Any]]:
    *columns, metrics = zip(*summaries, strict=True)
    return [*columns, *zip(*metrics, strict=True)]


def _all_taken(status: str, due: int) -> None:
    if int(status.rpartition(" ")[2]) != due:
        raise StaleHistory(f"of {due} summaries {status.rpartition(' ')[2]} rest on the row that the database has")
