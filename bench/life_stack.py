"""All five services on a bench's ground, as the local stack runs them: one process each, a database each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.common import TICKS_PER_S, Ground, fresh_database
from bench.http_load import Pool
from bench.processes import TOKEN, Served, service, settings
from local_stack.services import SERVICES
from throughline.demo.articles import articles

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
AGAIN_S = 0.1
BUSY = (429, 503)
QUEUE, CHANNEL = "accounts", "chat"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON under it."""

    status: int
    body: bytes


class Stack:
    """The services by name, with connections to each."""

    def __init__(self, ground: Ground, served: Mapping[str, Served]) -> None:
        self.served = served
        self.pids = {name: (each.pid,) for name, each in served.items()} | {
            "postgres": ground.postgres_pids,
            "kafka": ground.kafka_pids,
        }
        self._pools = {name: Pool(each.port) for name, each in served.items()}

    async def get(self, name: str, path: str) -> Answer:
        """Whatever is answered."""
        return await self._answer(name, "GET", path, b"", HEADERS)

    async def put(self, name: str, path: str, body: object) -> None:
        """RuntimeError unless it is taken."""
        answer = await self._answer(name, "PUT", path, orjson.dumps(body), HEADERS)
        if answer.status not in (200, 201):
            raise RuntimeError(f"PUT {path} was answered {answer.status}: {answer.body[:200]!r}")

    async def post(self, name: str, path: str, body: object, key: str) -> Answer:
        """A command under a key, sent again while the service is too busy."""
        headers, content = {**HEADERS, "Idempotency-Key": key}, orjson.dumps(body)
        while True:
            answer = await self._answer(name, "POST", path, content, headers)
            if answer.status not in BUSY:
                return answer
            await asyncio.sleep(AGAIN_S)

    async def _answer(self, name: str, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Asked again where the server closed an idle connection just then: every call may be repeated."""
        while True:
            try:
                return Answer(*await self._pools[name].request(method, path, body, headers))
            except ConnectionResetError:
                continue

    def close(self) -> None:
        """Closes all connections."""
        for pool in self._pools.values():
            pool.close()


@asynccontextmanager
async def all_services(ground: Ground) -> AsyncIterator[Stack]:
    """Five services on empty databases, ready, with the demo's articles; ended and dropped at the end."""
    async with AsyncExitStack() as entered:
        served = {}
        for row in SERVICES:
            url = await entered.enter_async_context(fresh_database(ground, row.package))
            served[row.name] = await entered.enter_async_context(service(row.package, settings(ground, url)))
        stack = Stack(ground, served)
        entered.callback(stack.close)
        for article_id, body in articles().items():
            await stack.put("kb-search", f"/v1/articles/{article_id}", body)
        yield stack


def contacts() -> Iterator[tuple[str, object]]:
    """Keys and contacts without an end: each article's own matter, over and over, each time another customer's."""
    asked = list(articles().values())
    number = 0
    while True:
        about = asked[number % len(asked)]
        yield (
            f"contact-{number}",
            {
                "channel": CHANNEL,
                "customer": {"id": f"c-{number}", "email": f"c{number}@example.org"},
                "subject": about["title"],
                "body": f"Good morning, I need help with this: {about['body'][:200]}",
                "language": "en",
                "queue": QUEUE,
            },
        )
        number += 1


def busy_machine_s() -> float:
    """CPU seconds that the whole machine has been busy for since it began, whoever used them (/proc/stat)."""
    user, nice, system, _idle, _wait, irq, soft, steal = Path("/proc/stat").read_text().split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, irq, soft, steal)) / TICKS_PER_S


def memory_mib(pids: tuple[int, ...]) -> dict[str, float]:
    """The `rss` and `pss` of processes, descendants included, in MiB: shared pages count in each, or by shares."""
    total = {"rss": 0.0, "pss": 0.0}
    todo = list(pids)
    while todo:
        pid = todo.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            todo += [int(child) for each in Path(f"/proc/{pid}/task").iterdir() for child in _children(each)]
        except OSError:
            continue  # it has just ended
        for line in rollup:
            name, _, rest = line.partition(":")
            if name.lower() in total:
                total[name.lower()] += int(rest.split()[0]) / 1024
    return total


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()
