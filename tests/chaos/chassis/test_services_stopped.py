"""Each service ends within ten seconds of a SIGTERM, in good health and with Kafka away."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chassis import migrations
from local_stack.ports import free
from tests.support.until import until

SERVICES = ["intake", "router", "escalation", "audit", "kb_search"]
NO_KAFKA = "127.0.0.1:1"
WITHIN_S = 10.0


class Process:
    """One `python -m <service> serve`."""

    def __init__(self, service: str, port: int, process: asyncio.subprocess.Process) -> None:
        self.service = service
        self._url = f"http://127.0.0.1:{port}/readyz"
        self.process = process

    async def serves(self, *statuses: int) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(self._url)).status_code in statuses
        except httpx.HTTPError:
            return False

    async def stopped_in_s(self) -> float:
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.wait(), 30)
        return time.monotonic() - began


@asynccontextmanager
async def running(service: str, dsn: str, kafka: str, prefix: str, folder: Path) -> AsyncIterator[Process]:
    """The service on a database of its own."""
    await migrations.migrate(dsn, service)
    (port,) = free(1, folder / "ports")
    environment = {
        **os.environ,
        "DATABASE_URL": dsn,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "THROUGHLINE_PORT": str(port),
        "THROUGHLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "THROUGHLINE_TOKENS": json.dumps({}),
        "THROUGHLINE_TOPIC_PREFIX": prefix,
        "THROUGHLINE_CONTACTS_PARTITIONS": "2",
        "THROUGHLINE_OTHER_PARTITIONS": "1",
    }
    with (folder / f"{service}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", service, "serve", env=environment, stdout=log, stderr=log
        )
    try:
        yield Process(service, port, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def assert_stops(process: Process) -> None:
    seconds = await process.stopped_in_s()
    # uvicorn ends by the signal that it was told to stop with, after all is done.
    assert process.process.returncode in (0, -signal.SIGTERM), process.service
    assert seconds < WITHIN_S, process.service


@pytest.mark.parametrize("service", SERVICES)
async def test_in_good_health(
    service: str, make_database: Callable[[], str], kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with running(service, make_database(), kafka, topic_prefix, tmp_path) as process:
        await until(lambda: process.serves(200), 60)
        await assert_stops(process)


@pytest.mark.parametrize("service", SERVICES)
async def test_with_kafka_away(service: str, make_database: Callable[[], str], tmp_path: Path) -> None:
    async with running(service, make_database(), NO_KAFKA, "away.", tmp_path) as process:
        await until(lambda: process.serves(200, 503), 60)
        await assert_stops(process)
