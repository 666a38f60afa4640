"""What the records of one batch begin and see closed: written together, not record by record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from chassis.caution import AfterCommit
from router.app.following import Beginning, Closing, Following, RequestBook

Books = Callable[[asyncpg.Connection], RequestBook]


class Gathering:
    """Gathers while it is open for a transaction; of any other one everything is written at once."""

    def __init__(self, following: Following, books: Books) -> None:
        self._following = following
        self._books = books
        self._open: asyncpg.Connection | None = None
        self._begun: list[Beginning] = []
        self._closed: list[Closing] = []
        self._afters: list[AfterCommit | None] = []

    @asynccontextmanager
    async def gathered(self, tx: asyncpg.Connection) -> AsyncIterator[list[AfterCommit | None]]:
        """Gathers for this transaction within the block, and writes at its end what is left.

        Adds what is to be done after the commit.
        """
        self._begun, self._closed, self._afters = [], [], []
        self._open = tx
        try:
            yield self._afters
            await self.write(tx)
        finally:
            self._open = None

    async def begin(self, tx: asyncpg.Connection, beginning: Beginning) -> AfterCommit | None:
        """A request that begins."""
        if tx is not self._open:
            return await self._following.begin(self._books(tx), [beginning])
        self._begun.append(beginning)
        return None

    async def see_closed(self, tx: asyncpg.Connection, closing: Closing) -> None:
        """A closing event that stands in the log."""
        if tx is not self._open:
            await self._books(tx).see_closed([closing])
        else:
            self._closed.append(closing)

    async def write(self, tx: asyncpg.Connection) -> None:
        """Before anything else looks at requests: it must find what the records before it made of them."""
        if tx is not self._open:
            return
        begun, self._begun = self._begun, []
        closed, self._closed = self._closed, []
        if begun:
            self._afters.append(await self._following.begin(self._books(tx), begun))
        if closed:
            await self._books(tx).see_closed(closed)
