"""Lists of requests from their summary rows, newest received first."""

from collections.abc import Sequence
from typing import Any, Final

from audit.app.ports import Listed
from audit.domain.filters import RequestFilter
from audit.domain.summary import LONGEST_KEY
from chassis.database import Database

# What has not been received yet stands last.
_RECEIVED: Final = "coalesce(received_us, -1)"
_CUSTOMER: Final = f'left(customer_id, {LONGEST_KEY}) collate "C"'
_PREFIX: Final = f"{_CUSTOMER} ^@ left({{0}}, {LONGEST_KEY}) and customer_id ^@ {{0}}"
_COLUMNS: Final = ", ".join(Listed._fields)


class SqlRequests:
    """Reads lists in one schema; see the port `Requests`."""

    def __init__(self, db: Database, schema: str) -> None:
        self._db = db
        self._table = f"{schema}.requests"

    async def page(self, wanted: RequestFilter, *, after: Sequence[Any] | None, limit: int) -> list[Listed]:
        """See Requests."""
        conditions, arguments = _conditions(wanted, after)
        sql = (
            f"select {_COLUMNS} from {self._table} where {' and '.join(conditions)}"
            f" order by {_RECEIVED} desc, request_id desc limit {limit:d}"
        )
        async with self._db.connection() as connection:
            return [Listed(*row) for row in await connection.fetch(sql, *arguments)]

    async def oldest_first(
        self, wanted: RequestFilter, *, after: Sequence[Any] | None, limit: int
    ) -> list[tuple[int, str]]:
        """See Requests."""
        conditions, arguments = _conditions(wanted, after, oldest_first=True)
        sql = (
            f"select {_RECEIVED}, request_id from {self._table} where {' and '.join(conditions)}"
            f" order by {_RECEIVED}, request_id limit {limit:d}"
        )
        async with self._db.connection() as connection:
            return [(us, request_id) for us, request_id in await connection.fetch(sql, *arguments)]


def _conditions(
    wanted: RequestFilter, after: Sequence[Any] | None, *, oldest_first: bool = False
) -> tuple[list[str], list[Any]]:
    given: list[tuple[str, Any]] = [
        ("state = {}", wanted.state),
        ("channel = {}", wanted.channel),
        ("agent_id = {}", wanted.agent_id),
        (f"{_CUSTOMER} = left({{0}}, {LONGEST_KEY}) and customer_id = {{0}}", wanted.customer_id),
        (f"{_RECEIVED} >= {{}}", wanted.from_us),
        (f"{_RECEIVED} < {{}} and received_us is not null", wanted.to_us),
        (
            f"(request_id ^@ {{0}} or agent_id ^@ {{0}} or queue ^@ {{0}} or ({_PREFIX}))",
            wanted.q,
        ),
    ]
    conditions, arguments = ["true"], []
    for condition, value in given:
        if value is not None:
            arguments.append(value)
            conditions.append(condition.format(f"${len(arguments)}"))
    if after is not None:
        sign = ">" if oldest_first else "<"
        conditions.append(f"({_RECEIVED}, request_id) {sign} (${len(arguments) + 1}, ${len(arguments) + 2})")
        arguments += after
    return conditions, arguments
