"""The log as a stream of server-sent events, from a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from tests.audit.given import Writer, life
from tests.support.audit import Audits, ProcessReplica
from tests.support.serving import headers_for
from throughline.event_lines import events_of


async def told(replica: ProcessReplica, **headers: str) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
    """(id, item) of each event as it comes."""
    path, given = "/v1/events/stream", headers_for() | headers
    async with replica.http.stream("GET", path, headers=given, timeout=httpx.Timeout(20)) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for id_, _, item in events_of(answer.aiter_lines()):
            yield id_, item


async def taken(stream: AsyncGenerator[tuple[str, dict[str, Any]]], count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next so many."""
    return [await asyncio.wait_for(anext(stream), 20) for _ in range(count)]


async def test_the_stream_goes_on_as_records_come_and_from_the_last_event_that_was_seen(service: Audits) -> None:
    replica = await service.replica()
    records = life(Writer())
    await service.send(records[:2])
    async with aclosing(told(replica)) as stream:
        first = await taken(stream, 2)
        await service.send(records[2:])
        second = await taken(stream, 2)
    assert [item["type"] for _, item in (*first, *second)] == ["ContactReceived", "Routed", "Connected", "Resolved"]
    async with aclosing(told(replica, **{"last-event-id": first[-1][0]})) as again:
        assert await taken(again, 2) == second
    assert (await replica.json("/v1/events", cursor=second[-1][0]))["items"] == []


async def test_open_streams_do_not_hold_up_a_stop(service: Audits) -> None:
    replica = await service.replica()
    await service.send(life(Writer()))
    async with aclosing(told(replica)) as stream:
        await taken(stream, 4)
        async with asyncio.timeout(4):
            await replica.stop()
            assert [item async for item in stream] == []
