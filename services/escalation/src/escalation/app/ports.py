"""What the use cases need of the outside: requests and rules, each changed in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chassis.commands import Use
from chassis.store import Appended
from escalation.domain.request import Change, Request
from escalation.domain.rules import Content, Kind, Rules
from events.codec import Sealer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seal:
    """Under which key personal members are sealed; without a sealer the key was destroyed, and they are left out."""

    key_id: str
    sealer: Sealer | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a transaction has written: the next moment of each changed request by partition and id, its events, and how
    long after their due moments the broken promises among them were stated, in µs."""

    moments: Mapping[tuple[int, str], int | None]
    appended: Appended
    detected_us: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was broken, at `due_us`; `fact` is what SlaBreached said of it. Times in µs since 1970."""

    request_id: str
    promise: str
    cycle: int
    event_id: str
    due_us: int
    detected_us: int
    corrected_us: int | None
    fact: dict[str, Any]


class Unit(Protocol):
    """One transaction on requests whose streams it holds."""

    async def request(self, request_id: str) -> Request | None:
        """The request, with what was kept of it in this unit; None where it is not known."""
        ...

    async def rules(self) -> Rules:
        """All rules that are committed."""
        ...

    def keep(self, change: Change, seal: Seal | None = None) -> None:
        """To be written with the unit: the request as it is now, and what is stated of it."""
        ...


class Store(Protocol):
    """Requests. What a unit keeps is written if its work returns, and not at all if it raises."""

    async def find(self, request_id: str) -> Request | None:
        """A request as it is committed."""
        ...

    async def moments(self, partition: int) -> Mapping[str, int]:
        """The next moment of each request of a partition that has one."""
        ...

    async def change(self, request_ids: Iterable[str], work: Callable[[Unit], Awaitable[T]]) -> T:
        """`work` in one transaction that holds these requests."""
        ...

    async def once(self, request_id: str, use: Use | None, work: Callable[[Unit], Awaitable[bytes]]) -> bytes:
        """The same on one request, once for each idempotency key: a repeat gets the first answer."""
        ...


class RuleUnit(Protocol):
    """One transaction in which nobody else makes rules."""

    async def rules(self) -> Rules:
        """All rules that are committed."""
        ...

    def keep(self, kind: Kind, content: Content) -> None:
        """To be written with the unit: a new version, in force from the moment at which it is written."""
        ...


class RuleStore(Protocol):
    """Policies and calendars."""

    async def rules(self) -> Rules:
        """All rules that are committed."""
        ...

    async def once(self, name: str, use: Use | None, work: Callable[[RuleUnit], Awaitable[bytes]]) -> bytes:
        """`work` in one transaction, once for each idempotency key."""
        ...
