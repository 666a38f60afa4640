"""Each service ends within ten seconds of a SIGTERM, in good health and with Kafka away."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.serving import NO_KAFKA, Apart, Deployment
from tests.support.until import until

SERVICES = ["intake", "router", "escalation", "audit", "kb_search"]
WITHIN_S = 10.0


class AnyService(Deployment):
    """Whichever is named."""

    def __init__(self, package: str, dsn: str, folder: Path, bootstrap: str, prefix: str) -> None:
        self.package = package
        super().__init__(dsn, folder, bootstrap, prefix)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Apart]:
        """Its process, which may not be ready yet."""
        replica = Apart(self._program())
        await replica.program.begin()
        try:
            yield replica
        finally:
            await replica.close()


async def answers(replica: Apart, *statuses: int) -> bool:
    try:
        return (await replica.http.get("/readyz")).status_code in statuses
    except httpx.HTTPError:
        return False


async def assert_stops(replica: Apart) -> None:
    began = time.monotonic()
    code = await replica.program.end(signal.SIGTERM, 30)
    seconds = time.monotonic() - began
    # uvicorn ends by the signal that it was told to stop with, after all is done.
    assert code in (0, -signal.SIGTERM), replica.program.module
    assert seconds < WITHIN_S, replica.program.module


@pytest.mark.parametrize("service", SERVICES)
async def test_in_good_health(
    service: str, make_database: Callable[[], str], kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with AnyService(service, make_database(), tmp_path, kafka, topic_prefix) as made, made.begun() as replica:
        await until(replica.ready, 60)
        await assert_stops(replica)


@pytest.mark.parametrize("service", SERVICES)
async def test_with_kafka_away(service: str, make_database: Callable[[], str], tmp_path: Path) -> None:
    async with AnyService(service, make_database(), tmp_path, NO_KAFKA, "away.") as made, made.begun() as replica:
        await until(lambda: answers(replica, 200, 503), 60)
        await assert_stops(replica)
