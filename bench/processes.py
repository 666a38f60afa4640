"""Servers under test as processes of their own, and the settings that our services need on a bench's ground."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from bench.common import Ground
from bench.http_load import Pool

TOKEN = "bench-only"
MASTER_KEY = base64.b64encode(hashlib.sha256(b"bench only").digest()).decode()
READY_S, END_S = 60.0, 15.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers: its port on the loopback and its process."""

    port: int
    pid: int


def settings(ground: Ground, database_url: str) -> dict[str, str]:
    """The environment of one of our services; the token TOKEN may do everything."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": ground.kafka,
        "THROUGHLINE_TOPIC_PREFIX": ground.topic_prefix,
        "THROUGHLINE_MASTER_KEY": MASTER_KEY,
        "THROUGHLINE_TOKENS": json.dumps({digest: {"name": "bench", "scopes": ["*"]}}),
        "THROUGHLINE_LOG_LEVEL": "WARNING",
    }


@asynccontextmanager
async def service(module: str, told: Mapping[str, str], ready: str = "/readyz") -> AsyncIterator[Served]:
    """One of our services, migrated, serving and ready; ended at the end. RuntimeError where it does not come up."""
    await _finished([sys.executable, "-m", module, "migrate"], told)
    async with server([sys.executable, "-m", module, "serve"], told, ready) as served:
        yield served


@asynccontextmanager
async def server(command: list[str], told: Mapping[str, str], ready: str = "/readyz") -> AsyncIterator[Served]:
    """A command that serves HTTP on THROUGHLINE_PORT, from when `ready` answers 200 until the end of the block."""
    port = _free_port()
    with TemporaryFile() as output:
        process = await _started(command, {**told, "THROUGHLINE_PORT": str(port)}, output)
        try:
            if not await _answers(process, port, ready):
                output.seek(0)
                raise RuntimeError(f"{command} is not ready: {output.read()[-2_000:].decode(errors='replace')}")
            yield Served(port, process.pid)
        finally:
            await _ended(process)


_ROOT = Path(__file__).resolve().parents[1]


async def _started(command: list[str], told: Mapping[str, str], output: IO[bytes]) -> Process:
    return await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **told}, stdin=DEVNULL, stdout=output, stderr=output, cwd=_ROOT
    )


async def _finished(command: list[str], told: Mapping[str, str]) -> None:
    with TemporaryFile() as output:
        process = await _started(command, told, output)
        if await process.wait() != 0:
            output.seek(0)
            raise RuntimeError(f"{command} failed: {output.read()[-2_000:].decode(errors='replace')}")


async def _answers(process: Process, port: int, path: str) -> bool:
    """Whether it comes to answer 200 with nothing degraded."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_S
    while process.returncode is None and loop.time() < deadline:
        pool = Pool(port)
        try:
            status, body = await pool.request("GET", path)
            if status == 200 and b"degraded" not in body:
                return True
        except OSError:
            pass  # not listening yet
        finally:
            pool.close()
        await asyncio.sleep(0.1)
    return False


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
