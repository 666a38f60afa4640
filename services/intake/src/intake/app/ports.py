"""What the use cases need of the outside: one transaction on intake's tables, for live commands and for imports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.idempotency import Claim
from chassis.keyring import Keys
from chassis.reservation import Reserved
from chassis.store import Append, Appended
from intake.domain.decide import Known, News
from intake.domain.imports import Past
from intake.domain.keys import Use
from intake.domain.lines import Line

T = TypeVar("T")


class Unit(Protocol):
    """One transaction. Writing raises `StaleTransaction` where another replica was first: run it all again."""

    async def hold(self, streams: Iterable[str]) -> None:
        """Holds streams that may exist already until the end; before anything is written."""
        ...

    async def keys(self, key_ids: Iterable[str]) -> Keys:
        """Keys to seal with; missing ones are made, and told by `Keys.made`, which must be appended."""
        ...

    async def append(self, appends: Sequence[Append]) -> Appended:
        """Appends all of them or raises."""
        ...


class LiveUnit(Unit, Protocol):
    """One transaction over live commands."""

    async def reserve(self, uses: Sequence[Use]) -> Reserved:
        """Takes these keys for the transaction, as far as no other replica has them; each may be given once."""
        ...

    async def known(self, requests: Iterable[str], threads: Iterable[UUID], identifiers: Iterable[UUID]) -> Known:
        """What is known of live requests, threads and identities, of those named."""
        ...

    async def learn(self, news: News) -> None:
        """Adds what is new."""
        ...

    async def claim(self, claims: Sequence[Claim]) -> None:
        """Stores the answers of reserved keys."""
        ...


class ImportUnit(Unit, Protocol):
    """One transaction over a chunk of an import."""

    async def past(self, lines: Sequence[Line]) -> Past:
        """What is known of these lines' requests and ids."""
        ...

    async def take(self, lines: Sequence[Line]) -> None:
        """Keeps what content each event id stands for from now on."""
        ...


class LiveStore(Protocol):
    """Runs work in one transaction at a time, on a connection of its own."""

    async def run(self, work: Callable[[LiveUnit], Awaitable[T]]) -> T:
        """`work` in one transaction; raises `Unavailable` where its outcome is unknown or nothing was done."""
        ...


class ImportStore(Protocol):
    """As `LiveStore`, for imports."""

    async def run(self, work: Callable[[ImportUnit], Awaitable[T]]) -> T:
        """As `LiveStore.run`."""
        ...
