"""What the use cases need of the outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from audit.domain.batch import Row
from audit.domain.cursor import Vector
from audit.domain.filters import LogFilter, RequestFilter
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.report import Figures
from audit.domain.summary import Summary
from chassis.database import Connection
from chassis.errors import Transient
from events.lifecycle import Cohort
from events.times import to_text


class StaleHistory(Transient):
    """A history was held that is not the one that the database has: drop it and read it anew."""


class Kept(Protocol):
    """Where records and summaries are written to, and what was written before; all in the caller's transaction."""

    async def known_us(self, tx: Connection, topic: str, partition: int) -> int:
        """Since when the last record of a partition is known, 0 where there is none."""
        ...

    async def histories(self, tx: Connection, request_ids: Iterable[str]) -> dict[str, History]:
        """The histories of those of the requests that are known."""
        ...

    async def seen(self, tx: Connection, event_ids: Sequence[str]) -> dict[str, Place]:
        """The first places of those of the events outside of requests that are known."""
        ...

    async def make_room(self, tx: Connection, known_us: Iterable[int]) -> None:
        """Lets records be written that are known since these times."""
        ...

    async def append(self, tx: Connection, rows: Sequence[Row]) -> None:
        """Keeps rows."""
        ...

    async def demote(self, tx: Connection, places: Sequence[Place]) -> None:
        """Marks rows as duplicates."""
        ...

    async def summarise(self, tx: Connection, changed: Sequence[tuple[int, Summary]]) -> None:
        """Stores summaries, each with the number of events that the row before it was made from.

        Raises StaleHistory where another row is there.
        """
        ...


class Timelines(Protocol):
    """Timelines as JSON objects. `personal` says whether the reader may see personal data."""

    async def one(self, request_id: str, *, as_of_us: int | None, personal: bool) -> dict[str, Any] | None:
        """As known at `as_of_us` (None: now); None where nothing was known."""
        ...

    async def many(self, request_ids: Sequence[str], *, personal: bool) -> list[dict[str, Any]]:
        """Those that are known, in the order asked for."""
        ...


class Listed(NamedTuple):
    """One request in a list. Times in µs."""

    request_id: str
    customer_id: str | None
    state: str | None
    channel: str | None
    queue: str | None
    tier: int | None
    agent_id: str | None
    received_us: int | None
    routed_us: int | None
    connected_us: int | None
    resolved_us: int | None

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the list, for the cursor; what has not been received yet stands last."""
        return -1 if self.received_us is None else self.received_us, self.request_id

    def item(self) -> dict[str, Any]:
        """As users read it."""
        item: dict[str, Any] = self._asdict()
        for name in ("received", "routed", "connected", "resolved"):
            us = item.pop(f"{name}_us")
            item[f"{name}_at"] = None if us is None else to_text(us)
        return item


class Requests(Protocol):
    """Lists of requests, newest received first."""

    async def page(self, wanted: RequestFilter, *, after: Sequence[Any] | None, limit: int) -> list[Listed]:
        """The first `limit` requests after a place in the list."""
        ...

    async def oldest_first(
        self, wanted: RequestFilter, *, after: Sequence[Any] | None, limit: int
    ) -> list[tuple[int, str]]:
        """Places of requests, from the one received first on."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests a report counts, `[from_us, to_us)` on the cohort's headline time, and under which keys.

    `as_of_us` says what was known at which time; None stands for the present.
    """

    from_us: int
    to_us: int
    cohort: Cohort
    group_by: tuple[str, ...]
    as_of_us: int | None


class Reports(Protocol):
    """Exact figures over many requests."""

    async def figures(self, wanted: Wanted) -> tuple[int | None, list[Figures]]:
        """As of when the answer holds (None: nothing is known yet), and every number of every group."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """A record as an item of `/v1/events`, with its place."""

    place: Place
    item: Mapping[str, Any]


class Log(Protocol):
    """The kept log."""

    async def page(self, wanted: LogFilter, start: Vector, limit: int, *, personal: bool) -> tuple[list[Told], Vector]:
        """Up to `limit` records from `start` on, each partition in order, and the place after them.

        The place moves past what the filter leaves out; at the end of what has been taken in it is `start` again.
        """
        ...
