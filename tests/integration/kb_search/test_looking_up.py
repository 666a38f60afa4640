"""The task that looks words up, on a database and a set clock: what fails is set aside, what is late is waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.database import Connection, Database
from chassis.ids import new_id
from chassis.metrics import Metrics
from chassis.sealing import AesSealer
from events.codec import encode_data
from kb_search.adapters.gaps import SqlGaps
from kb_search.adapters.requests import SqlRequests
from kb_search.app.looking_up import GRACE_US, STALE_US, LookingUp
from kb_search.app.ports import Entry, Keys, Spoken, Times
from kb_search.app.searching import Searching
from kb_search.domain.content import About, Content
from kb_search.domain.suggestions import Matter
from kb_search.metrics import CATALOGUE
from tests.kb_search.memory import MemoryIndex
from tests.support.clocks import SetClock
from tests.support.kb_search import Libraries
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = {"c-1": bytes(32)}


class Brittle(MemoryIndex):
    """An index that some words break."""

    def terms(self, text: str, language: str | None) -> list[str]:
        if "explode" in text:
            raise RuntimeError("this word breaks the index")
        return super().terms(text, language)


class Drawer:
    """`ports.Vault`: the customer's key, once it is put in."""

    def __init__(self) -> None:
        self.has_key = True

    async def keys(self, connection: Connection, key_ids: object) -> Keys:
        return Keys(AesSealer(KEY if self.has_key else {}), frozenset() if self.has_key else frozenset(KEY))


class Whole:
    """`ports.Freshness`: nothing is missing."""

    is_whole = True

    async def caught_up(self) -> None:
        """At once."""


class Bench:
    """The task over one article, a drawer with a key, and a clock that stands."""

    def __init__(self, service: Libraries, db: Database) -> None:
        self.service, self.db = service, db
        self.clock, self.drawer, self.published = SetClock(), Drawer(), 0
        self.missed: list[str] = []
        index = Brittle()
        index.change([Entry("okapi", 1, Content("Okapi", "", "en"))], [])
        metrics = Metrics(CATALOGUE)
        searching = Searching(index, Whole(), self.missed.append, metrics)
        self.task = LookingUp(
            db, SqlRequests(), self.drawer, searching, Whole(), SqlGaps(), self.clock, metrics, self._publish
        )

    async def hears(self, request_id: str, body: str, *, here: bool = True) -> None:
        """What is said is committed, and this replica is told unless another one has heard it."""
        event_id = new_id()
        data = {"channel": "chat", "body": body}
        payload = encode_data("MessageReceived", data, event_id=event_id, key_id="c-1", sealer=AesSealer(KEY))
        spoken = Spoken(event_id, "MessageReceived", 1, payload)
        times = Times(self.clock.now_us(), self.clock.now_us(), self.clock.now_us() + GRACE_US)
        matter = Matter(About(), None)
        await self.db.run(lambda tx: SqlRequests().hear(tx, request_id, spoken, matter, times=times))
        if here:
            self.task.heard(request_id)

    async def waits(self) -> list[str]:
        rows = await self.service.rows("select request_id from requests where due_us is not null order by 1")
        return [row[0] for row in rows]

    async def told(self) -> dict[str, list[str]]:
        rows = await self.service.rows("select stream, payload from events order by stream, version")
        return {stream: [each["article_id"] for each in json.loads(raw)["suggestions"]] for stream, raw in rows}

    def _publish(self) -> None:
        self.published += 1


@asynccontextmanager
async def bench(service: Libraries) -> AsyncIterator[Bench]:
    db = Database(service.dsn, name="tests")
    await db.open()
    made = Bench(service, db)
    running = asyncio.create_task(made.task.run())
    yield made
    made.task.stop()
    await running
    await db.close()


async def test_words_that_break_the_index_keep_no_others_from_being_looked_up(alone: Libraries) -> None:
    async with bench(alone) as at:
        await at.hears("r-broken", "explode")
        await at.hears("r-whole", "okapi")
        await until(lambda: _is(at, []))
        assert await at.told() == {"r-whole": ["okapi"]}
        await at.hears("r-broken", "okapi instead")
        await until(lambda: _is(at, []))
    assert await at.told() == {"r-broken": ["okapi"], "r-whole": ["okapi"]}
    assert at.published == 2


async def test_another_replica_takes_over_after_the_grace_and_not_before(alone: Libraries) -> None:
    async with bench(alone) as at:
        await at.hears("r-other", "okapi", here=False)
        await at.hears("r-own", "okapi")
        await until(lambda: _is(at, ["r-other"]))
        at.clock.move(GRACE_US)
        await at.hears("r-own", "okapi")
        await until(lambda: _is(at, []))
    assert await at.told() == {"r-other": ["okapi"], "r-own": ["okapi"]}


async def test_a_key_that_never_comes_is_given_up_after_a_day(alone: Libraries) -> None:
    async with bench(alone) as at:
        at.drawer.has_key = False
        await at.hears("r-keyless", "okapi")
        put_off = "select due_us > received_us from requests where due_us <> received_us + $1"

        async def is_put_off() -> bool:
            return await alone.rows(put_off, GRACE_US) == [(True,)]

        await until(is_put_off)
        assert await at.waits() == ["r-keyless"]
        at.clock.move(STALE_US + 1)
        at.task.heard("r-keyless")
        await until(lambda: _is(at, []))
    assert await at.told() == {}


async def _is(at: Bench, due: list[str]) -> bool:
    return await at.waits() == due
