"""What is written in one turn of the loop goes out together, and nothing is held longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from chassis.one_write import OneWrite


class Wire(asyncio.Transport):
    """Notes what goes out, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.calls.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def connection(wire: Wire) -> OneWrite:
    return OneWrite(wire, asyncio.get_running_loop())


async def test_a_head_goes_out_with_its_body(connection: OneWrite, wire: Wire) -> None:
    connection.write(b"head")
    connection.write(b"body")
    assert wire.calls == [b"headbody"]
    await asyncio.sleep(0)
    assert wire.calls == [b"headbody"]


async def test_a_head_whose_body_is_awaited_goes_out_alone(connection: OneWrite, wire: Wire) -> None:
    connection.write(b"head")
    assert wire.calls == []
    await asyncio.sleep(0)
    assert wire.calls == [b"head"]
    connection.write(b"first")
    await asyncio.sleep(0)
    assert wire.calls == [b"head", b"first"]


async def test_of_many_pieces_in_one_turn_at_most_one_is_held(connection: OneWrite, wire: Wire) -> None:
    pieces = [b"%d," % number for number in range(7)]
    for count, piece in enumerate(pieces, start=1):
        connection.write(piece)
        assert b"".join(wire.calls) == b"".join(pieces[: count // 2 * 2])
    await asyncio.sleep(0)
    assert b"".join(wire.calls) == b"".join(pieces)


async def test_what_is_held_goes_out_before_the_close(connection: OneWrite, wire: Wire) -> None:
    connection.write(b"last")
    connection.close()
    assert (wire.calls, connection.is_closing()) == ([b"last"], True)


@pytest.mark.parametrize("how", ["aborted here", "lost there"])
async def test_nothing_is_written_to_a_connection_that_is_gone(connection: OneWrite, wire: Wire, how: str) -> None:
    connection.write(b"late")
    if how == "aborted here":
        connection.abort()
    else:
        wire.closed = True
    await asyncio.sleep(0)
    assert wire.calls == []
