"""Runs the use cases' work in transactions on dedicated connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.clock import Clock
from chassis.database import Writer
from chassis.keyring import Keyring
from intake.adapters.units import SqlImportUnit, SqlLiveUnit
from intake.app.ports import ImportUnit, LiveUnit

T = TypeVar("T")


class SqlLiveStore:
    """`ports.LiveStore` on a connection of its own."""

    def __init__(self, writer: Writer, keyring: Keyring, clock: Clock) -> None:
        self._writer = writer
        self._keyring = keyring
        self._clock = clock

    async def run(self, work: Callable[[LiveUnit], Awaitable[T]]) -> T:
        """See `ports.LiveStore`."""
        return await self._writer.run(lambda tx: work(SqlLiveUnit(tx, self._keyring, self._clock.now_us())))


class SqlImportStore:
    """`ports.ImportStore` on a connection of its own."""

    def __init__(self, writer: Writer, keyring: Keyring) -> None:
        self._writer = writer
        self._keyring = keyring

    async def run(self, work: Callable[[ImportUnit], Awaitable[T]]) -> T:
        """See `ports.ImportStore`."""
        return await self._writer.run(lambda tx: work(SqlImportUnit(tx, self._keyring)))
