"""How long it takes from a POST until the contact is to be seen in its timeline."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from itertools import count

from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database, nearest_rank
from bench.http_load import Pool, at_a_rate
from bench.processes import TOKEN, Served, server, service, settings
from bench.topics import make_topic

SECONDS = 25
SAMPLES_PER_S = 8
WARM_UP_S = 3
POLL_S, POLL_SHARE = 0.001, 0.1
AGAIN_S = 0.1
PATIENCE_S = 30.0
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


async def usual_at_50(ground: Ground) -> Sample:
    """The usual service at 50 contacts a second."""
    await make_topic(ground, f"{ground.topic_prefix}practice")
    async with fresh_database(ground, "usual") as url:
        command = [sys.executable, "-m", "bench.usual_service"]
        async with server(command, settings(ground, url)) as served:
            return await _measure(ground, served, served, 50)


async def throughline_at_500(ground: Ground) -> Sample:
    """Intake and audit at 500 contacts a second."""
    return await _product(ground, 500)


async def throughline_at_50(ground: Ground) -> Sample:
    """Intake and audit at 50 contacts a second."""
    return await _product(ground, 50)


async def _product(ground: Ground, per_s: int) -> Sample:
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(fresh_database(ground, name)) for name in ("intake", "audit")]
        intake = await stack.enter_async_context(service("intake", settings(ground, urls[0])))
        audit = await stack.enter_async_context(service("audit", settings(ground, urls[1])))
        return await _measure(ground, intake, audit, per_s)


async def _measure(ground: Ground, intake: Served, audit: Served, per_s: int) -> Sample:
    """Warms up, then posts at the rate and follows SAMPLES_PER_S of them until they are visible."""
    posting, looking = Pool(intake.port), Pool(audit.port)
    waits: list[int] = []
    answered: list[int] = []
    numbers = count()

    async def contact(number: int, due: float) -> None:
        answer = await _posted(posting, _body(next(numbers)))
        answered.append(round((time.monotonic() - due) * 1e6))
        if number * SAMPLES_PER_S // per_s != (number - 1) * SAMPLES_PER_S // per_s:
            waits.append(await _visible(looking, json.loads(answer)["request_id"], due))

    try:
        await at_a_rate(min(per_s, 50), 50 * WARM_UP_S, contact)
        await at_a_rate(per_s, per_s * WARM_UP_S, contact)
        waits.clear()
        answered.clear()
        total = ground.amount(per_s * SECONDS)
        with Meter({"service": tuple({intake.pid, audit.pid}), "postgres": ground.postgres_pids}) as meter:
            await at_a_rate(per_s, total, contact)
        # How much of the way the 202 takes: what is beyond it is relay, Kafka and audit.
        return meter.sample(total, waits, {"answered_p50_ms": nearest_rank(sorted(answered), 50) / 1e3})
    finally:
        posting.close()
        looking.close()


async def _posted(pool: Pool, body: bytes) -> bytes:
    """The answer to a contact that was taken; one refused because of overload is sent again, while its clock runs.

    So is one whose idle connection the server closed as it was sent: a process that does not get the processor for
    seconds finds its timers due before it reads.
    """
    while True:
        try:
            status, answer = await pool.request("POST", "/v1/contacts", body, HEADERS)
        except ConnectionResetError:
            continue
        if status == 202:
            return answer
        if status != 429:
            raise RuntimeError(f"a contact was answered {status}: {answer[:200]!r}")
        await asyncio.sleep(AGAIN_S)


async def _visible(pool: Pool, request_id: str, due: float) -> int:
    """The µs from the due time until the timeline answers 200; RuntimeError when that takes too long."""
    while (waited := time.monotonic() - due) < PATIENCE_S:
        status, _ = await pool.request("GET", f"/v1/requests/{request_id}/timeline", b"", HEADERS)
        if status == 200:
            return round((time.monotonic() - due) * 1e6)
        # Looking is work for the service too: the longer it takes, the less exactly it is looked.
        await asyncio.sleep(max(POLL_S, waited * POLL_SHARE))
    raise RuntimeError(f"{request_id} is not visible after {PATIENCE_S} s")


def _body(number: int) -> bytes:
    contact = {
        "channel": "chat",
        "customer": {"id": f"c-{number}", "email": f"c{number}@example.org"},
        "subject": "Card not arrived",
        "body": "The new card was to be here on Tuesday, and it is Friday now. Where is it? " * 4,
        "queue": "accounts",
    }
    return json.dumps(contact).encode()


BENCH = Bench(
    name="end_to_end",
    question="how long from a POST until the contact is visible in its timeline?",
    unit="contact",
    guarantees="202 only after the commit, every event published after its commit with acks=all, and kept with its "
    "bytes and the reader's offsets in one transaction",
    variants=(
        Variant("usual at 50/s", "a transaction a request, the outbox polled every 100 ms", usual_at_50),
        Variant("throughline at 500/s", "group commit, relay woken by it, ten times the rate", throughline_at_500),
        Variant("throughline at 50/s", "group commit, relay woken by it", throughline_at_50),
    ),
    claims=(
        Claim("p50_ms", "usual at 50/s", 1),
        Claim("p99_ms", "usual at 50/s", 1),
    ),
    figures=("p50_ms", "p99_ms", "answered_p50_ms", "service_cpu_us"),
)
