"""The desk over a store in memory: races that a real database shows only now and then, made to happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from chassis.errors import InFlight, KeyReused, NotFound, Overloaded, Unavailable
from chassis.store import Appended
from intake.app.desk import Desk, turns
from intake.app.ports import LiveUnit
from intake.domain.commands import AddMessage, Receive
from intake.domain.decide import Known
from intake.domain.identifiers import identifiers_of, thread_of
from intake.domain.keys import Use
from tests.intake.memory import MemoryLiveStore, Tables
from tests.support.until import until

T = TypeVar("T")
THREAD = thread_of("email", "t-1")
ADA = identifiers_of({"email": "ada@example.com"})


class StoppedClock:
    def now_us(self) -> int:
        return 1_000_000


def contact(n: int, key: str | None = None, digest: bytes = b"body", size: int = 60, **facts: Any) -> Receive:
    """The nth contact, with ids of its own."""
    return Receive(
        event_id=f"00000000-0000-0000-0000-{n:012d}",
        request_id=f"r-{n}",
        sent={"channel": "email", "customer": {"id": "c-1"}, "body": "help"},
        size=size,
        use=None if key is None else Use("POST /v1/contacts", key, digest),
        **({"customer_id": "c-1"} | facts),
    )


@asynccontextmanager
async def desk(store: MemoryLiveStore, patience_s: float = 1.0) -> AsyncIterator[Desk]:
    made = Desk(store, StoppedClock(), lambda _appended: None, patience_s=patience_s)
    writer = asyncio.create_task(made.group.run())
    yield made
    made.group.stop()
    await writer


async def test_a_follow_up_that_loses_its_race_inside_a_batch_still_gets_its_event() -> None:
    """Another replica binds the thread after this one has read that it is new, and before it writes."""
    tables = Tables()
    here, there = MemoryLiveStore(tables), MemoryLiveStore(tables)
    async with desk(here) as ours, desk(there) as theirs:

        async def they_come_first() -> None:
            await theirs.take(contact(1, "k-1", thread=THREAD))

        here.before_writing = they_come_first
        answers = await asyncio.gather(
            ours.take(contact(2, "k-2", thread=THREAD)), ours.take(contact(3, "k-3")), ours.take(contact(4, "k-4"))
        )
    assert [answer.request_id for answer in answers] == ["r-1", "r-3", "r-4"]
    assert (answers[0].continued, here.runs) == (True, 2)
    assert {stream: [event.type for event in events] for stream, events in tables.streams.items()} == {
        "r-1": ["ContactReceived", "MessageReceived"],
        "r-3": ["ContactReceived"],
        "r-4": ["ContactReceived"],
    }
    assert len(tables.answers) == len(tables.events) == 4


async def test_an_identity_that_another_replica_found_first_counts() -> None:
    tables = Tables()
    here, there = MemoryLiveStore(tables), MemoryLiveStore(tables)
    async with desk(here) as ours, desk(there) as theirs:

        async def they_come_first() -> None:
            await theirs.take(contact(1, customer_id="c-7", identifiers=ADA))

        here.before_writing = they_come_first
        await ours.take(contact(2, customer_id=None, identifiers=ADA))
    assert tables.known.customers == {"r-1": "c-7", "r-2": "c-7"}


async def test_the_second_use_of_a_key_in_flight_is_told_so_at_once() -> None:
    store, gate = MemoryLiveStore(Tables()), asyncio.Event()

    async def long_commit() -> None:
        await gate.wait()

    store.before_writing = long_commit
    async with desk(store) as ours:
        first = asyncio.create_task(ours.take(contact(1, "k")))
        await until(lambda: store.runs == 1)
        with pytest.raises(InFlight):
            await asyncio.wait_for(ours.take(contact(2, "k")), 1)
        gate.set()
        assert (await first).duplicate is False
        assert (await ours.take(contact(3, "k"))).duplicate is True


async def test_a_key_that_another_replica_works_on_is_told_so() -> None:
    tables = Tables(working={("POST /v1/contacts", "k")})
    async with desk(MemoryLiveStore(tables)) as ours:
        with pytest.raises(InFlight):
            await ours.take(contact(1, "k"))
    assert tables.events == []


async def test_the_key_is_free_again_when_its_caller_wakes() -> None:
    """A caller who retries at once after a failed commit must not find himself in flight."""

    class FailsOnce(MemoryLiveStore):
        async def run(self, work: Callable[[LiveUnit], Awaitable[T]]) -> T:
            self.runs += 1
            if self.runs == 1:
                raise Unavailable("the commit's answer was lost")
            return await super().run(work)

    async def persist(ours: Desk, n: int) -> str:
        try:
            return (await ours.take(contact(n, f"k-{n}"))).request_id
        except Unavailable:
            return (await ours.take(contact(n + 100, f"k-{n}"))).request_id

    async with desk(FailsOnce(Tables())) as ours:
        answers = await asyncio.gather(*(persist(ours, n) for n in range(8)))
    assert answers == [f"r-{n + 100}" for n in range(8)]


async def test_a_key_reused_for_another_body_is_refused() -> None:
    async with desk(MemoryLiveStore(Tables())) as ours:
        await ours.take(contact(1, "k"))
        with pytest.raises(KeyReused):
            await ours.take(contact(2, "k", digest=b"another"))


async def test_a_refused_command_leaves_nothing_and_hurts_no_neighbour() -> None:
    tables = Tables()
    async with desk(MemoryLiveStore(tables)) as ours:
        refused, _ = await asyncio.gather(
            ours.take(contact(1, "k-1", continues="r-9")), ours.take(contact(2, "k-2")), return_exceptions=True
        )
    assert isinstance(refused, NotFound)
    assert [event.key for event in tables.events] == ["r-2"]
    assert [key for _, key in tables.answers] == ["k-2"]


async def test_when_the_oldest_has_waited_too_long_newcomers_are_refused_and_their_key_is_free() -> None:
    gate = asyncio.Event()

    class Slow(MemoryLiveStore):
        async def run(self, work: Callable[[LiveUnit], Awaitable[T]]) -> T:
            await gate.wait()
            return await super().run(work)

    async with desk(Slow(Tables()), patience_s=0.02) as ours:
        first = asyncio.create_task(ours.take(contact(1, "k-1")))
        await until(lambda: ours.group.oldest_wait_s > 0.02)
        with pytest.raises(Overloaded):
            await ours.take(contact(2, "k-2"))
        with pytest.raises(Overloaded):
            await ours.take_all([contact(3)])
        gate.set()
        assert (await first).request_id == "r-1"
        assert (await ours.take(contact(4, "k-2"))).request_id == "r-4"


async def test_a_batch_that_is_not_settled_in_time_is_of_unknown_outcome() -> None:
    store = MemoryLiveStore(Tables())

    async def never() -> None:
        await asyncio.Event().wait()

    store.before_writing = never
    ours = Desk(store, StoppedClock(), lambda _appended: None, whole_batch_s=0.02)
    writer = asyncio.create_task(ours.group.run())
    with pytest.raises(Unavailable, match="same keys"):
        await ours.take_all([contact(1, "k-1"), contact(2, "k-2")])
    writer.cancel()


async def test_of_commands_with_one_key_each_finds_the_first_ones_answer() -> None:
    commands = [contact(1, "a"), contact(2, "b"), contact(3, "a"), contact(4), contact(5, "a", digest=b"another")]
    assert [[command.event_id[-1] for command in turn] for turn in turns(commands)] == [["1", "2", "4"], ["3"], ["5"]]
    async with desk(MemoryLiveStore(Tables())) as ours:
        outcomes = await ours.take_all(commands)
    assert [getattr(outcome, "request_id", None) for outcome in outcomes] == ["r-1", "r-2", "r-1", "r-4", None]
    assert isinstance(outcomes[4], KeyReused)


async def test_a_batch_that_holds_a_key_twice_all_the_same_states_one_event() -> None:
    tables = Tables()
    ours = Desk(MemoryLiveStore(tables), StoppedClock(), lambda _appended: None)
    _, second = await ours.write([contact(1, "k"), contact(2, "k")])
    assert isinstance(second, InFlight)
    assert [event.key for event in tables.events] == ["r-1"]


async def test_a_message_for_an_erased_customers_request_is_sealed_under_the_request() -> None:
    tables = Tables(known=Known({"r-1": "c-1"}), destroyed={"c-1"})
    ours = Desk(MemoryLiveStore(tables), StoppedClock(), lambda _appended: None)
    message = AddMessage(
        event_id="00000000-0000-0000-0000-000000000001",
        request_id="r-1",
        sent={"channel": "sms", "body": "hello"},
        size=36,
    )
    await ours.write([message])
    assert b'"key_id":"request:r-1"' in tables.events[0].payload


async def test_large_contacts_share_no_transaction() -> None:
    """A transaction has a deadline: 64 bodies of a mebibyte would not be written within it."""
    store = MemoryLiveStore(Tables())
    async with desk(store) as ours:
        await asyncio.gather(*(ours.take(contact(n, size=3 << 20)) for n in range(5)))
    assert store.runs == 3


async def test_what_was_committed_is_told_once() -> None:
    told: list[Appended] = []
    ours = Desk(MemoryLiveStore(Tables()), StoppedClock(), told.append)
    await ours.write([contact(1, "k-1"), contact(2, "k-2")])
    await ours.write([contact(3, "k-1")])
    assert [appended.types for appended in told] == [{"ContactReceived": 2}]
