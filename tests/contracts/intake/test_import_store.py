"""What a transaction over a chunk of an import promises: the one in memory and the one on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from chassis import migrations, store
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.errors import StaleTransaction
from chassis.keyring import Keyring
from chassis.store import Append, NewEvent
from intake.adapters.stores import SqlImportStore
from intake.app.ports import ImportStore, ImportUnit
from intake.domain.imports import Past
from intake.domain.lines import Line
from tests.intake.memory import MemoryImportStore, Tables

LIVE = "01a20208-83e7-7742-95f3-1f74ef393738"
LIVE_EVENT = uuid4()


def a_line(request_id: str = "call-1", event_id: int = 1, content: int = 11) -> Line:
    return Line("Resumed", request_id, 0, {}, UUID(int=event_id), None, UUID(int=content))


def live_event() -> NewEvent:
    return NewEvent(str(LIVE_EVENT), "ContactReceived", b"{}", 1_000, "/services/intake", "contacts", LIVE)


def imported_event(line: Line, occurred_us: int) -> NewEvent:
    return NewEvent(str(line.event_id), line.type, b"{}", occurred_us, "/imports", "contacts", line.request_id)


@pytest.fixture(params=["memory", "sql"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ImportStore, ImportStore]]:
    """Two replicas' stores over the same tables, which hold one live request."""
    if request.param == "memory":
        tables = Tables(streams={LIVE: [live_event()]})
        yield MemoryImportStore(tables), MemoryImportStore(tables)
        return
    dsn = request.getfixturevalue("database_url")
    await migrations.migrate(dsn, "intake")
    db = Database(dsn, name="contract")
    keyring = Keyring(bytes(range(32)), source="/services/intake", clock=SystemClock())
    await db.writer().run(lambda tx: store.append(tx, [Append(LIVE, 0, (live_event(),))]))
    yield SqlImportStore(db.writer(), keyring), SqlImportStore(db.writer(), keyring)
    await db.close()


Two = tuple[ImportStore, ImportStore]


async def test_what_was_taken_is_past_for_the_others(stores: Two) -> None:
    here, there = stores
    assert await there.run(lambda unit: unit.past([a_line()])) == Past()
    await here.run(lambda unit: unit.take([a_line()]))
    assert await there.run(lambda unit: unit.past([a_line()])) == Past(taken={UUID(int=1): UUID(int=11)})


async def test_live_requests_and_events_are_known(stores: Two) -> None:
    stated = Line("Resumed", LIVE, 0, {}, LIVE_EVENT, None, UUID(int=12))
    assert await stores[0].run(lambda unit: unit.past([stated])) == Past({LIVE}, {LIVE_EVENT})


async def test_an_id_is_taken_once(stores: Two) -> None:
    here, there = stores

    async def work(unit: ImportUnit) -> None:
        assert await unit.past([a_line()]) == Past()
        await there.run(lambda other: other.take([a_line("call-2")]))
        await unit.take([a_line(), a_line(event_id=2)])

    with pytest.raises(StaleTransaction):
        await here.run(work)
    assert (await there.run(lambda unit: unit.past([a_line(event_id=2)]))).taken == {}


async def test_imported_events_keep_their_times_wherever_the_stream_ends(stores: Two) -> None:
    later, earlier = imported_event(a_line(), 5_000), imported_event(a_line(event_id=2), 1_000)
    for event, version in ((later, 1), (earlier, 2)):

        async def work(unit: ImportUnit, event: NewEvent = event) -> tuple[int, int]:
            await unit.hold(["/imports/call-1"])
            appended = await unit.append([Append("/imports/call-1", None, (event,), stamp=False)])
            return appended.versions["/imports/call-1"], appended.occurred_us[event.event_id]

        assert await stores[version - 1].run(work) == (version, event.occurred_us)
