"""Group commit: who shares a batch, who is refused, and what each waiter hears."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.errors import Invalid, Overloaded, StaleTransaction, Unavailable
from chassis.group_commit import GroupCommit
from tests.support.until import until

Answers = Sequence[str | Exception]


class Ledger:
    """A writer that notes its batches, and can be held up or made to fail."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.faults: list[Exception] = []
        self.bad: dict[str, Exception] = {}

    async def write(self, items: list[str]) -> Answers:
        await self.may_go_on.wait()
        if self.faults:
            raise self.faults.pop(0)
        for item in items:
            if item in self.bad:
                raise self.bad[item]
        self.batches.append(items)
        return [f"{item} written" for item in items]


@asynccontextmanager
async def running(
    write: Callable[[list[str]], Awaitable[Answers]],
    *,
    release: Callable[[str], object] | None = None,
    most: int = 512,
    patience_s: float = 1.0,
) -> AsyncIterator[GroupCommit[str, str]]:
    group: GroupCommit[str, str] = GroupCommit(write, release=release, most=most, patience_s=patience_s)
    task = asyncio.create_task(group.run())
    yield group
    group.stop()
    await task


async def test_what_arrives_while_a_batch_is_written_forms_the_next_one() -> None:
    ledger = Ledger()
    async with running(ledger.write) as group:
        ledger.may_go_on.clear()
        first = asyncio.create_task(group.submit("a"))
        await until(lambda: group.oldest_wait_s > 0)
        others = [asyncio.create_task(group.submit(item)) for item in "bcd"]
        await asyncio.sleep(0)
        ledger.may_go_on.set()
        assert await asyncio.gather(first, *others) == ["a written", "b written", "c written", "d written"]
    assert ledger.batches == [["a"], ["b", "c", "d"]]


async def test_a_batch_holds_no_more_than_it_may() -> None:
    ledger = Ledger()
    async with running(ledger.write, most=3) as group:
        await asyncio.gather(*(group.submit(str(n)) for n in range(8)))
    assert [len(batch) for batch in ledger.batches] == [3, 3, 2]


async def test_newcomers_are_refused_while_the_oldest_has_waited_too_long_and_nobody_else() -> None:
    ledger = Ledger()
    released: list[str] = []
    async with running(ledger.write, release=released.append, patience_s=0.05) as group:
        ledger.may_go_on.clear()
        first = asyncio.create_task(group.submit("a"))
        await until(lambda: group.oldest_wait_s > 0.05)
        with pytest.raises(Overloaded) as refused:
            await group.submit("late")
        assert refused.value.retry_after_s >= 1
        ledger.may_go_on.set()
        assert await first == "a written"
        assert await group.submit("b") == "b written"
    assert released == ["a", "b"]


async def test_a_batch_whose_database_fails_answers_unavailable_to_all_after_releasing_their_keys() -> None:
    ledger = Ledger()
    ledger.faults = [Unavailable("gone")]
    in_flight = {"a", "b"}
    async with running(ledger.write, release=in_flight.discard) as group:

        async def left_in_flight(item: str) -> set[str]:
            with pytest.raises(Unavailable):
                await group.submit(item)
            return set(in_flight)

        assert not any(await asyncio.gather(left_in_flight("a"), left_in_flight("b")))


async def test_keys_are_released_before_anybody_is_answered_on_success_too() -> None:
    in_flight = {"a"}
    async with running(Ledger().write, release=in_flight.discard) as group:
        await group.submit("a")
        assert in_flight == set()


async def test_a_row_that_cannot_be_stored_is_refused_alone() -> None:
    ledger = Ledger()
    ledger.bad["b"] = asyncpg.CharacterNotInRepertoireError("NUL")
    async with running(ledger.write) as group:
        outcomes = await asyncio.gather(*(group.submit(item) for item in "abc"), return_exceptions=True)
    assert outcomes[0] == "a written"
    assert isinstance(outcomes[1], Invalid)
    assert outcomes[2] == "c written"
    assert ledger.batches == [["a"], ["c"]]


async def test_an_answer_that_is_an_error_concerns_its_own_waiter_alone() -> None:
    async def write(items: list[str]) -> Answers:
        return [Invalid([{"field": "body", "reason": "bad"}]) if item == "b" else item for item in items]

    async with running(write) as group:
        outcomes = await asyncio.gather(*(group.submit(item) for item in "ab"), return_exceptions=True)
    assert outcomes[0] == "a"
    assert isinstance(outcomes[1], Invalid)


async def test_a_transaction_that_came_too_early_is_run_again() -> None:
    ledger = Ledger()
    ledger.faults = [StaleTransaction(), StaleTransaction()]
    async with running(ledger.write) as group:
        assert await group.submit("a") == "a written"


async def test_a_fault_of_the_program_reaches_the_waiters_and_the_writer_lives_on() -> None:
    ledger = Ledger()
    ledger.faults = [ZeroDivisionError()]
    async with running(ledger.write) as group:
        with pytest.raises(ZeroDivisionError):
            await group.submit("a")
        assert await group.submit("b") == "b written"


async def test_a_caller_who_goes_away_has_his_item_written_all_the_same() -> None:
    ledger = Ledger()
    async with running(ledger.write) as group:
        ledger.may_go_on.clear()
        caller = asyncio.create_task(group.submit("a"))
        await until(lambda: group.oldest_wait_s > 0)
        caller.cancel()
        ledger.may_go_on.set()
        assert await group.submit("b") == "b written"
    assert [item for batch in ledger.batches for item in batch] == ["a", "b"]


async def test_a_stop_writes_what_waits_and_takes_nothing_more() -> None:
    ledger = Ledger()
    ledger.may_go_on.clear()
    async with running(ledger.write, most=1) as group:
        waiting = [asyncio.create_task(group.submit(item)) for item in "abc"]
        await until(lambda: group.oldest_wait_s > 0)
        group.stop()
        with pytest.raises(Unavailable):
            await group.submit("late")
        ledger.may_go_on.set()
        assert await asyncio.gather(*waiting) == ["a written", "b written", "c written"]


async def test_a_writer_that_is_cancelled_leaves_nobody_waiting() -> None:
    ledger = Ledger()
    ledger.may_go_on.clear()
    released: list[str] = []
    group: GroupCommit[str, str] = GroupCommit(ledger.write, release=released.append)
    writer = asyncio.create_task(group.run())
    waiting = [asyncio.create_task(group.submit(item)) for item in "ab"]
    await until(lambda: group.oldest_wait_s > 0)
    writer.cancel()
    outcomes = await asyncio.gather(writer, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, Unavailable, Unavailable]
    assert released == ["a", "b"]
