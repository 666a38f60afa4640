"""What audit answers, as JSON bytes or objects ready to be written as JSON."""

from collections.abc import Sequence
from typing import Any

from audit.app.ports import Log, Reports, Requests, Timelines, Wanted
from audit.domain.cursor import Partition, Vector, vector_of
from audit.domain.filters import LogFilter, RequestFilter
from audit.domain.rendering import render
from audit.domain.report import groups
from chassis.errors import Invalid, NotFound
from chassis.paging import decode_cursor, encode_cursor, page
from events.times import to_text


class Answers:
    """The questions that can be put to audit. `personal` says whether the asker may see personal data."""

    def __init__(
        self, timelines: Timelines, requests: Requests, reports: Reports, log: Log, layout: Sequence[Partition]
    ) -> None:
        """`layout` names all partitions of the log in their order."""
        self._timelines = timelines
        self._requests = requests
        self._reports = reports
        self._log = log
        self._layout = layout

    async def timeline(self, request_id: str, *, as_of_us: int | None, personal: bool) -> bytes:
        """The timeline as known at `as_of_us` (None: now). Raises NotFound where nothing was known of the request."""
        found = await self._timelines.one(request_id, as_of_us=as_of_us, personal=personal)
        if found is None:
            when = "" if as_of_us is None else f" at {to_text(as_of_us)}"
            raise NotFound(f"Nothing is known of this request{when}: what was just sent may take a moment to arrive.")
        return render(found)

    async def requests(self, wanted: RequestFilter, *, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of requests, newest received first."""
        after = decode_cursor(cursor, int, str)
        rows = await self._requests.page(wanted, after=after, limit=limit + 1)
        shown, following = page(rows, limit, lambda row: row.place)
        return {"items": [row.item() for row in shown], "next_cursor": following}

    async def report(self, wanted: Wanted, *, tz: str) -> dict[str, Any]:
        """Durations by group. `tz` is only told again: the bounds are moments."""
        as_of_us, figures = await self._reports.figures(wanted)
        return {
            "from": to_text(wanted.from_us),
            "to": to_text(wanted.to_us),
            "cohort": wanted.cohort,
            "group_by": list(wanted.group_by),
            "tz": tz,
            "as_of": None if as_of_us is None else to_text(as_of_us),
            "groups": groups(wanted.group_by, figures),
        }

    async def log(self, wanted: LogFilter, *, cursor: str | None, limit: int, personal: bool) -> dict[str, Any]:
        """A page of the log. Its cursor is never null: what comes later is read on from it."""
        records, at = await self._log.page(wanted, self.place(cursor), limit, personal=personal)
        return {"items": [told.item for told in records], "next_cursor": encode_cursor(at.numbers())}

    def place(self, cursor: str | None) -> Vector:
        """The place that a cursor names, the beginning without one. Raises Invalid for what is none."""
        numbers = decode_cursor(cursor)
        if numbers is None:
            return Vector(self._layout, {})
        try:
            if any(type(number) is not int for number in numbers):
                raise ValueError("is not a place in this log")
            return vector_of(self._layout, numbers)
        except ValueError as error:
            raise Invalid([{"field": "cursor", "reason": f"{error}; take one from next_cursor"}]) from error
