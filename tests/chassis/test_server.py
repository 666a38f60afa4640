"""What a caller on a real socket can do to the server, and what it does then."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from chassis.server import GuardedProtocol, Limits, Server, configuration
from tests.support.until import until

SHORT = replace(Limits(), head_s=0.4, window_s=0.4, window_bytes=1_000, unread_bytes=200_000)


class Impatient(GuardedProtocol):
    limits = SHORT


class Tight(GuardedProtocol):
    limits = replace(SHORT, head_bytes=800)


class Connection:
    """A caller's end of a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers["content-length"]))

    async def ended(self) -> bytes:
        """What still comes until the server closes; fails where it does not within five seconds."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def serving(parts: Any, protocol: type[GuardedProtocol] = Impatient) -> AsyncIterator[Server]:
    """The application behind a real socket, in a thread of its own."""
    server = Server(configuration(parts.app, "127.0.0.1", 0, protocol), parts.service)
    thread = threading.Thread(target=server.run)
    thread.start()
    await until(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Connection]:
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def server(parts: Any) -> AsyncIterator[Server]:
    async with serving(parts) as server:
        yield server


@pytest.fixture
async def caller(server: Server) -> AsyncIterator[Connection]:
    async with connected(server) as connection:
        yield connection


def post(length: int) -> str:
    return f"POST /v1/hot HTTP/1.1\r\nhost: x\r\nauthorization: Bearer writer\r\ncontent-length: {length}\r\n\r\n"


def assert_problem(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    found, headers, body = answer
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(body)["type"] == f"/problems/{code}"


async def test_a_request_in_time_is_answered_and_the_connection_kept(caller: Connection) -> None:
    for _ in range(3):
        await caller.send(post(3) + "abc")
        assert (await caller.answer())[0] == 202


async def test_a_head_that_never_ends_is_cut_by_its_size(caller: Connection) -> None:
    await caller.send("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ")
    await caller.send("a" * 40_000)
    assert_problem(await caller.answer(), 413, "too-large")
    assert await caller.ended() == b""


async def test_a_whole_head_that_is_too_large_is_not_served(caller: Connection) -> None:
    await caller.send(f"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {'a' * 40_000}\r\n\r\n")
    assert_problem(await caller.answer(), 413, "too-large")
    assert await caller.ended() == b""


async def test_a_head_just_within_the_limit_is_served(caller: Connection) -> None:
    await caller.send(f"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {'a' * 32_000}\r\n\r\n")
    assert (await caller.answer())[0] == 200


async def test_half_a_head_is_cut_in_time(caller: Connection) -> None:
    await caller.send("GET /healthz HTTP/1.1\r\nhost: x\r\n")
    assert_problem(await caller.answer(), 408, "validation")
    assert await caller.ended() == b""


async def test_half_a_head_is_cut_on_a_connection_that_was_of_use_before(caller: Connection) -> None:
    await caller.send(post(1) + "x")
    assert (await caller.answer())[0] == 202
    await caller.send("GET /healthz HTTP/1.1\r\n")
    assert_problem(await caller.answer(), 408, "validation")


async def test_a_head_sent_drop_by_drop_gains_no_time(caller: Connection) -> None:
    """The slow loris: each drop comes in time, the whole does not."""
    dripping = asyncio.create_task(_drip(caller))
    assert_problem(await caller.answer(), 408, "validation")
    dripping.cancel()
    await asyncio.wait([dripping])


async def test_a_connection_that_says_nothing_is_closed(caller: Connection) -> None:
    assert await caller.ended() == b""


async def test_half_a_body_is_cut_in_time(caller: Connection) -> None:
    await caller.send(post(1_000) + "x" * 10)
    assert_problem(await caller.answer(), 408, "validation")
    assert await caller.ended() == b""


async def test_a_slow_body_that_keeps_coming_is_waited_for(caller: Connection) -> None:
    await caller.send(post(6_000))
    for _ in range(6):
        await caller.send("x" * 1_000)
        await asyncio.sleep(0.2)
    status, _, body = await caller.answer()
    assert (status, body) == (202, b"6000")


async def test_a_caller_who_leaves_in_the_middle_is_no_fault_of_ours(parts: Any, caller: Connection) -> None:
    await caller.send(post(1_000) + "x" * 10)
    caller.writer.close()
    await until(lambda: b'route="/v1/hot",status="499"' in parts.metrics.text())


async def test_what_is_not_http_is_a_problem(caller: Connection) -> None:
    await caller.send("HELO example.org\r\n\r\n")
    assert_problem(await caller.answer(), 400, "validation")


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(caller: Connection) -> None:
    await caller.send(post(20 << 20))
    assert_problem(await caller.answer(), 413, "too-large")


async def test_who_goes_on_sending_after_a_refusal_is_cut_off(caller: Connection) -> None:
    await caller.send(post(20 << 20))
    assert_problem(await caller.answer(), 413, "too-large")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        await _send_on_and_on(caller)


async def test_nothing_is_served_after_a_head_that_was_too_large(parts: Any) -> None:
    """Of several requests in one segment the ones behind the swollen one are not carried out."""
    async with serving(parts, Tight) as server:
        async with connected(server) as caller:
            swollen = f"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {'a' * 900}\r\n\r\n"
            await caller.send(swollen + post(1) + "x")
            await caller.ended()
        async with connected(server) as caller:
            await caller.send("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b'route="/v1/hot"' not in (await caller.answer())[2]


async def test_the_usual_server_waits_for_ever(parts: Any) -> None:
    """The control arm: uvicorn's own protocol takes a huge head, and holds a half-sent one open."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    async with serving(parts, HttpToolsProtocol) as usual:  # type: ignore[arg-type]  # not ours: that is the point
        async with connected(usual) as caller:
            await caller.send(f"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {'a' * 1_000_000}\r\n\r\n")
            assert (await caller.answer())[0] == 200
        async with connected(usual) as caller:
            await caller.send("GET /healthz HTTP/1.1\r\nhost: x\r\n")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT.head_s * 3):
                    await caller.reader.read(1)


async def test_a_stop_ends_open_streams_at_once(parts: Any) -> None:
    async with serving(parts, GuardedProtocol) as server, connected(server) as caller:
        await caller.send("GET /v1/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        await caller.reader.readuntil(b"begun")
        server.should_exit = True
        assert b"ended" in await caller.ended()


async def test_a_crashed_background_task_stops_the_server_and_shows_in_the_exit_code(parts: Any) -> None:
    async def crash() -> None:
        raise ZeroDivisionError("gone")

    parts.service.background("relay", crash)
    server = Server(configuration(parts.app, "127.0.0.1", 0), parts.service)
    await asyncio.to_thread(server.run)
    assert parts.service.exit_code == 1
    assert "relay" in parts.service.check().detail


async def _send_on_and_on(caller: Connection) -> None:
    for _ in range(400):
        await caller.send(b"x" * 50_000)
        await asyncio.sleep(0)


async def _drip(caller: Connection) -> None:
    await caller.send("GET /healthz HTTP/1.1\r\nx: ")
    while True:
        await caller.send("a")
        await asyncio.sleep(0.05)
