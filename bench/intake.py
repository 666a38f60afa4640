"""Taking a contact in: POST, validated, sealed, committed, 202."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count

from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.http_load import Connection, opened
from bench.processes import TOKEN, Served, server, service, settings

CALLERS = 64
WARM_UP = 0.1
USUAL, PRODUCT = 2_000, 20_000
NO_KAFKA = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


async def usual(ground: Ground) -> Sample:
    """A session and a transaction for each request."""
    async with fresh_database(ground, "usual") as url:
        told = {"DATABASE_URL": url, "BENCH_TOKEN": TOKEN}
        async with server([sys.executable, "-m", "bench.usual_intake"], told) as served:
            return await _measure(ground, served, ground.amount(USUAL))


async def product(ground: Ground) -> Sample:
    """Intake, whose relay has no Kafka to publish to: that is measured by itself."""
    async with fresh_database(ground, "intake") as url:
        told = settings(ground, url) | NO_KAFKA
        # Without Kafka it is degraded and does its work all the same.
        async with service("intake", told, ready="/healthz") as served:
            return await _measure(ground, served, ground.amount(PRODUCT))


async def _measure(ground: Ground, served: Served, amount: int) -> Sample:
    """`CALLERS` at once, each sending its next contact when the last one is answered."""
    numbers, waits = count(), []
    connections = [await opened(served.port) for _ in range(CALLERS)]

    async def send(connection: Connection, until: int) -> None:
        while (number := next(numbers)) < until:
            began = time.perf_counter_ns()
            status, answer = await connection.request("POST", "/v1/contacts", _body(number), _headers(number))
            if status != 202:
                raise RuntimeError(f"a contact was answered {status}: {answer[:200]!r}")
            waits.append((time.perf_counter_ns() - began) // 1_000)

    async def load(until: int) -> None:
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(send(connection, until))

    warm_up = max(CALLERS, round(amount * WARM_UP))
    await load(warm_up)
    waits.clear()
    numbers = count(warm_up)
    parts = {"service": (served.pid,), "postgres": ground.postgres_pids, "server": (served.pid, *ground.postgres_pids)}
    with Meter(parts) as meter:
        await load(warm_up + amount)
    for connection in connections:
        connection.close()
    return meter.sample(amount, waits)


def _headers(number: int) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"contact-{number}",
    }


def _body(number: int) -> bytes:
    """Every second contact is its customer's first one."""
    customer = number // 2
    contact = {
        "channel": "chat",
        "customer": {"id": f"c-{customer}", "name": "Ada Beispiel", "email": f"c{customer}@example.org"},
        "subject": "Card not arrived",
        "body": "The new card was to be here on Tuesday, and it is Friday now. Where is it? " * 4,
        "language": "en",
        "queue": "accounts",
        "context": {"product": "shop", "version": "2.1", "os": "linux"},
        "attributes": {"campaign": "autumn"},
    }
    return json.dumps(contact).encode()


BENCH = Bench(
    name="intake",
    question="what does it cost to take a contact in?",
    unit="contact",
    guarantees="202 only after the commit of the event, its idempotency key with the first answer, the customer's "
    "identity and his wrapped key; the body validated, personal members sealed, the caller authorised",
    variants=(
        Variant("usual", "a FastAPI model, a SQLAlchemy session and a transaction a request", usual),
        Variant("throughline", "a plain route, and one transaction for all who wait", product),
    ),
    claims=(
        Claim("server_per_cpu_s", "usual", 10),
        Claim("service_per_cpu_s", "usual", 10),
        Claim("postgres_per_cpu_s", "usual", 5),
        Claim("p99_ms", "usual", 4),
    ),
    figures=("server_per_cpu_s", "server_cpu_us", "service_cpu_us", "postgres_cpu_us", "per_s", "p50_ms", "p99_ms"),
)
