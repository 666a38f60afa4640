"""The taking in of imports, over a store in memory: chunks, races, and a loop that others may use meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chassis.errors import Overloaded, StaleTransaction, TooLarge, Unavailable
from chassis.store import Appended
from intake.app.importing import AT_A_STRETCH, ATTEMPTS, CHUNK_LINES, MOST_LINES, Imports
from intake.domain.imports import ERASED, OTHER_CONTENT, Accepted, Rejected, Repeated
from tests.intake.memory import MemoryImportStore, Tables
from tests.support.intake import line, ndjson


def ignored(_appended: Appended) -> None:
    """Nobody counts here."""


def imports(store: MemoryImportStore, patience_s: float = 1.0) -> Imports:
    return Imports([store], ignored, patience_s=patience_s)


def agents(first: int, last: int) -> bytes:
    """A line for each number, of a request of its own."""
    return ndjson(line(f"call-{n}", "Connected", agent_id="a-1") for n in range(first, last))


async def test_an_import_is_cut_into_chunks_each_in_a_transaction_of_its_own() -> None:
    store = MemoryImportStore(Tables())
    answers = await imports(store).take(agents(0, 2 * CHUNK_LINES + 1))
    assert [number for number, _ in answers] == list(range(1, 2 * CHUNK_LINES + 2))
    assert {type(outcome) for _, outcome in answers} == {Accepted}
    assert store.runs == 3


async def test_large_lines_make_small_chunks() -> None:
    store = MemoryImportStore(Tables())
    body = ndjson(line(f"call-{n}", "MessageReceived", channel="sms", body="x" * 900_000) for n in range(8))
    assert [outcome for _, outcome in await imports(store).take(body)] == [Accepted()] * 8
    assert store.runs == 2


async def test_the_loop_is_given_back_while_lines_are_checked() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    living = asyncio.create_task(others())
    await imports(MemoryImportStore(Tables())).take(agents(0, CHUNK_LINES))
    living.cancel()
    assert turns >= CHUNK_LINES // AT_A_STRETCH - 1


async def test_of_too_many_lines_none_is_taken() -> None:
    store = MemoryImportStore(Tables())
    with pytest.raises(TooLarge):
        await imports(store).take(b"{}\n" * (MOST_LINES + 1))
    assert store.runs == 0


async def test_empty_lines_have_numbers_and_no_answers() -> None:
    answers = await imports(MemoryImportStore(Tables())).take(b"\n" + agents(0, 1) + b" \r\n" + agents(1, 2).rstrip())
    assert answers == [(2, Accepted()), (4, Accepted())]


async def test_an_event_that_another_replica_takes_meanwhile_is_a_duplicate_here() -> None:
    tables = Tables()
    here, there = MemoryImportStore(tables), MemoryImportStore(tables)

    async def they_come_first() -> None:
        await imports(there).take(agents(0, 2))

    here.before_writing = they_come_first
    answers = await imports(here).take(agents(1, 4))
    assert [outcome for _, outcome in answers] == [Repeated(), Accepted(), Accepted()]
    assert (len(tables.events), here.runs) == (4, 2)


async def test_an_id_that_another_replica_gives_other_content_meanwhile_is_rejected_here() -> None:
    tables = Tables()
    here, there = MemoryImportStore(tables), MemoryImportStore(tables)
    mine: dict[str, Any] = line("call-1") | {"event_id": "00000000-0000-0000-0000-000000000001"}

    async def they_come_first() -> None:
        await imports(there).take(ndjson([mine | {"request_id": "call-2"}]))

    here.before_writing = they_come_first
    assert await imports(here).take(json.dumps(mine).encode()) == [(1, OTHER_CONTENT)]


async def test_who_always_loses_is_told_to_come_again() -> None:
    class Loses(MemoryImportStore):
        async def run(self, work: Any) -> Any:
            self.runs += 1
            raise StaleTransaction(f"another replica was before {work}")

    store = Loses(Tables())
    with pytest.raises(Unavailable):
        await imports(store).take(agents(0, 1))
    assert store.runs == ATTEMPTS


async def test_personal_data_of_an_erased_request_are_rejected_and_the_rest_is_taken() -> None:
    tables = Tables(destroyed={"request:call-1"})
    lines = [
        line("call-1", "MessageReceived", channel="sms", body="secret"),
        line("call-1", "Connected", agent_id="a-1"),
        line("call-2", "MessageReceived", channel="sms", body="secret"),
    ]
    answers = await imports(MemoryImportStore(tables)).take(ndjson(lines))
    assert [outcome for _, outcome in answers] == [ERASED, Accepted(), Accepted()]
    assert [event.type for event in tables.events] == ["Connected", "MessageReceived"]


async def test_who_waits_too_long_for_his_turn_is_refused_and_takes_nobodys() -> None:
    gate = asyncio.Event()

    class Slow(MemoryImportStore):
        async def run(self, work: Any) -> Any:
            await gate.wait()
            return await super().run(work)

    narrow = imports(Slow(Tables()), patience_s=0.01)
    first = asyncio.create_task(narrow.take(agents(0, 1)))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await narrow.take(agents(1, 2))
    gate.set()
    assert await first == [(1, Accepted())]
    assert await narrow.take(agents(1, 2)) == [(1, Accepted())]


async def test_a_bad_line_is_rejected_alone() -> None:
    answers = await imports(MemoryImportStore(Tables())).take(agents(0, 1) + b"{\n" + agents(1, 2))
    assert [type(outcome) for _, outcome in answers] == [Accepted, Rejected, Accepted]
