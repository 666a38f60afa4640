"""Records that cannot be taken are parked with their key; their neighbours go on, and a replay takes them up."""

from __future__ import annotations

import pytest

from chassis import parking
from chassis.database import Database
from tests.support.kb_search import Customer, Libraries, Replica, event
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_poison_record_is_parked_and_keeps_nobody_but_its_own_key_waiting(
    service: Libraries, desk: Replica
) -> None:
    await desk.article("park-found", title="Raccoon")
    ada = Customer("park-ada")
    broken = event("ContactReceived", "park-1", value=b"{no json")
    future = event("MessageReceived", "park-2", value=b"{}")
    unknown = [(name, b"throughline.MessageReceived.v9" if name == "ce_type" else held) for name, held in future[3]]
    await service.send(
        ada.made(),
        broken,
        ada.message("park-1", body="raccoon"),
        (future[0], future[1], future[2], unknown),
        ada.contact("park-3", subject="raccoon"),
    )
    await desk.shows("park-3", "park-found")
    rows = await service.rows(
        "select convert_from(key, 'UTF8'), attempts from parked_records where key like 'park%' order by \"offset\""
    )
    assert sorted(rows) == [("park-1", 0), ("park-1", 1)]
    assert await desk.suggested("park-1") is None
    letters = await service.rows("select type from events where topic = 'dead-letters' and key = 'park-1'")
    assert letters == [("RecordParked",)]


async def test_a_parked_record_that_was_mended_is_taken_up_in_its_order(service: Libraries, desk: Replica) -> None:
    await desk.article("park-mended", title="Serval")
    bea = Customer("park-bea")
    whole = bea.contact("park-4", subject="serval")
    await service.send(bea.made(), (whole[0], whole[1], b"{", whole[3]))
    key = "select count(*) from parked_records where key = 'park-4'"

    async def parked(count: int) -> bool:
        return await service.rows(key) == [(count,)]

    await until(lambda: parked(1))
    await service.rows("update parked_records set value = $1 where key = 'park-4' returning 1", whole[2])
    db = Database(service.dsn, name="tests")
    await db.open()
    assert await parking.mark(db, consumer="kb-search", key=b"park-4") == 1
    await db.close()
    await desk.shows("park-4", "park-mended")
    await until(lambda: parked(0))
