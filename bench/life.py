"""Contacts through their whole life on all five services: how many a second, how soon, at which cost, what stops it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from bench.common import Bench, Ground, Meter, Sample, Variant
from bench.http_load import at_a_rate
from bench.life_desk import Floor, open_floor
from bench.life_reading import PARTS, figures, percentiles, reading
from bench.life_stack import Stack, all_services, busy_machine_s, contacts, memory_mib

RATES = (20, 50, 100, 200)
SECONDS, WARM_UP_S, WARM_UP_PER_S = 15, 3, 20
LOOKS_PER_S = 4
POLL_S, POLL_SHARE = 0.01, 0.1
DRAIN_S, VISIBLE_S = 40.0, 120.0
READERS = 8


@dataclass(slots=True)
class Customers:
    """Those who post, and look now and then for when a contact is visible in audit."""

    stack: Stack
    floor: Floor
    looks: asyncio.TaskGroup
    waits_us: list[int] = field(default_factory=list)
    _contacts: Iterator[tuple[str, object]] = field(default_factory=contacts)

    async def post(self, due: float) -> str:
        """One contact; its request id. RuntimeError unless it is taken."""
        key, contact = next(self._contacts)
        answer = await self.stack.post("intake", "/v1/contacts", contact, key)
        if answer.status != 202:
            raise RuntimeError(f"a contact was answered {answer.status}: {answer.body[:200]!r}")
        request_id = str(orjson.loads(answer.body)["request_id"])
        self.floor.due[request_id] = due
        return request_id

    async def load(self, per_s: int, count: int) -> None:
        """So many at a rate, LOOKS_PER_S of which are looked for."""

        async def contact(number: int, due: float) -> None:
            request_id = await self.post(due)
            if number * LOOKS_PER_S // per_s != (number - 1) * LOOKS_PER_S // per_s:
                self.looks.create_task(self._look(request_id, due))

        await at_a_rate(per_s, count, contact)

    async def _look(self, request_id: str, due: float) -> None:
        """Notes how long it took until the timeline answers; RuntimeError when that takes too long."""
        while (waited := time.monotonic() - due) < VISIBLE_S:
            if (await self.stack.get("audit", f"/v1/requests/{request_id}/timeline")).status == 200:
                self.waits_us.append(round((time.monotonic() - due) * 1e6))
                return
            # Looking is work for audit too: the longer it takes, the less exactly it is looked.
            await asyncio.sleep(max(POLL_S, waited * POLL_SHARE))
        raise RuntimeError(f"{request_id} is not visible after {VISIBLE_S} s")


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, on services of its own, so that no step inherits another's backlog or memory."""

    per_s: int

    async def __call__(self, ground: Ground) -> Sample:
        """Warms up, loads for SECONDS, waits until all are resolved, and asks audit for what it knows of each."""
        async with all_services(ground) as stack, _customers(stack) as customers:
            await customers.load(WARM_UP_PER_S, WARM_UP_PER_S * WARM_UP_S)
            await customers.floor.settled(DRAIN_S)
            customers.waits_us.clear()
            return await self._measured(ground, stack, customers)

    async def _measured(self, ground: Ground, stack: Stack, customers: Customers) -> Sample:
        floor, count = customers.floor, ground.amount(self.per_s * SECONDS)
        before, began = set(floor.resolved), time.monotonic()
        with Meter(stack.pids) as whole:
            with Meter(stack.pids) as loaded:
                own, busy = time.process_time(), busy_machine_s()
                await customers.load(self.per_s, count)
                own, busy = time.process_time() - own, busy_machine_s() - busy
            await floor.settled(DRAIN_S)
        extra = figures(floor.lives(began), loaded.wall_s) | _memory(stack) | {"orders_lost": float(floor.lost)}
        used = {**loaded.cpu_s, "load": own, "machine": busy}
        extra |= {f"{part}_cores": seconds / loaded.wall_s for part, seconds in used.items()}
        lives = sorted(set(floor.resolved) - before)
        extra |= percentiles("received_to_routed", await _received_to_routed(stack, lives))
        extra |= percentiles("post_to_timeline", customers.waits_us)
        return whole.sample(len(lives), extra=extra)


@asynccontextmanager
async def _customers(stack: Stack) -> AsyncIterator[Customers]:
    async with open_floor(stack) as floor, asyncio.TaskGroup() as looks:
        yield Customers(stack, floor, looks)


def _memory(stack: Stack) -> dict[str, float]:
    sizes = {part: memory_mib(stack.pids[part]) for part in PARTS}
    return {f"{part}_{kind}_mib": size for part, each in sizes.items() for kind, size in each.items()}


async def _received_to_routed(stack: Stack, request_ids: Sequence[str]) -> list[int]:
    """The µs from each receipt to the first offer, as audit's timeline tells them by the events' own times."""
    todo = iter(request_ids)

    async def read() -> list[int]:
        return [await _settled_timeline(stack, request_id) for request_id in todo]

    return [wait for waits in await asyncio.gather(*(read() for _ in range(READERS))) for wait in waits]


async def _settled_timeline(stack: Stack, request_id: str) -> int:
    """RuntimeError where audit does not know of the resolution in time: a life counts when it is told to its end."""
    deadline = time.monotonic() + VISIBLE_S
    while time.monotonic() < deadline:
        answer = await stack.get("audit", f"/v1/requests/{request_id}/timeline")
        timeline = orjson.loads(answer.body)
        if answer.status == 200 and timeline["state"] == "resolved" and timeline["complete"]:
            return int(timeline["durations"]["received_to_routed_us"])
        await asyncio.sleep(POLL_S)
    raise RuntimeError(f"audit does not tell {request_id} to its end")


BENCH = Bench(
    name="life",
    question="how many contacts live through their whole life on one of each service, and what stops it?",
    unit="life",
    guarantees="contacts posted one by one, 100 desks that listen to streams, accept and resolve at once, every "
    "command under an idempotency key, the demo's articles suggested, promises watched, every life told to its end and "
    "without a gap by audit's timeline (looked for every 10 ms, or every tenth of the wait); services, PostgreSQL, "
    "Kafka and the load itself on one machine, and each step on services and databases of its own, warmed up for three "
    "seconds at 20/s. There is no usual practice to set it beside, so it claims nothing",
    variants=tuple(
        Variant(f"{rate}/s", f"{rate} contacts posted a second for {SECONDS} s", Step(rate)) for rate in RATES
    ),
    claims=(),
    figures=(
        "posted_per_s",
        "lives_per_s",
        "backlog_grows_per_s",
        "unfinished",
        "received_to_routed_p50_ms",
        "received_to_routed_p99_ms",
        "post_to_desk_p50_ms",
        "post_to_desk_p99_ms",
        "post_to_timeline_p50_ms",
        "post_to_timeline_p99_ms",
        *(f"{part}_cpu_us" for part in PARTS),
        *(f"{part}_cores" for part in (*PARTS, "load", "machine")),
        *(f"{part}_pss_mib" for part in PARTS),
    ),
    rounds=1,
    reading=reading,
)
