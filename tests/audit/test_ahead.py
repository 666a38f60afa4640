"""Work that is done one piece ahead."""

from __future__ import annotations

import asyncio

import pytest

from audit.app.ahead import Ahead


async def test_pieces_run_one_at_a_time_in_their_order_and_the_end_waits_for_the_last() -> None:
    told: list[str] = []

    async def piece(name: str) -> None:
        told.append(f"{name} begins")
        await asyncio.sleep(0)
        told.append(f"{name} ends")

    async with Ahead() as writing:
        for name in ("first", "second"):
            await writing.start(piece(name))
            told.append(f"{name} is started")
    assert told == [
        "first is started",
        "first begins",
        "first ends",
        "second is started",
        "second begins",
        "second ends",
    ]


async def test_more_pieces_may_wait_for_their_turn_and_keep_their_order() -> None:
    told: list[str] = []
    free = asyncio.Event()

    async def piece(name: str) -> None:
        await free.wait()
        told.append(name)

    async with Ahead(3) as writing:
        for name in ("first", "second", "third"):
            await writing.start(piece(name))
        told.append("all are started")
        free.set()
        await writing.start(piece("fourth"))
    assert told == ["all are started", "first", "second", "third", "fourth"]


async def test_no_piece_that_waits_for_a_broken_one_is_begun() -> None:
    told: list[str] = []

    async def broken() -> None:
        raise ValueError("broken")

    async def piece() -> None:
        told.append("begun")

    async def all_three() -> None:
        async with Ahead(3) as writing:
            for work in (broken(), piece(), piece()):
                await writing.start(work)

    with pytest.raises(ValueError, match="broken"):
        await all_three()
    assert told == []


async def test_what_a_piece_raises_keeps_the_next_from_being_begun() -> None:
    told: list[str] = []

    async def broken() -> None:
        raise ValueError("broken")

    async def piece() -> None:
        told.append("begun")

    async def both() -> None:
        async with Ahead() as writing:
            await writing.start(broken())
            await writing.start(piece())

    with pytest.raises(ValueError, match="broken"):
        await both()
    assert told == []


async def test_what_the_last_piece_raises_is_raised_at_the_end() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    async def alone() -> None:
        async with Ahead() as writing:
            await writing.start(broken())

    with pytest.raises(ValueError, match="broken"):
        await alone()


async def test_whoever_is_cancelled_does_not_wait_for_a_piece_that_hangs() -> None:
    begun = asyncio.Event()

    async def hanging() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def caller() -> None:
        async with Ahead(2) as writing:
            await writing.start(hanging())
            await writing.start(hanging())
            await asyncio.Event().wait()

    task = asyncio.create_task(caller())
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
