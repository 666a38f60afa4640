"""The real servers of one test session: found by every worker, gone with the session, however that ends."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from aiokafka.admin import AIOKafkaAdminClient

from local_stack.deadline import Deadline
from local_stack.files import locked
from local_stack.kafka import Kafka
from local_stack.layout import Layout
from local_stack.ports import free, is_free
from local_stack.postgres import Postgres, execute
from local_stack.processes import MARK, all_of, end, freeze, look, thaw
from local_stack.server import Server, ensure
from local_stack.services import SERVICES

FOLDER = "THROUGHLINE_TEST_SESSION"
_STACK_PORTS = (32, 92, 93, *(service.port for service in SERVICES))
_PATIENCE_S = 90.0
_PASSWORD = "only-in-tests"


class Session:
    """The servers of one run of pytest, under one folder whose name says who owns it: `<pid>-<start>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def begin(cls, above: Path) -> Session:
        """A session of this process; the ones whose owners have died are ended and removed."""
        owner = look(os.getpid())
        assert owner is not None
        for old in above.glob("*-*"):
            if not _owner_lives(old):
                cls(old).finish()
        return cls(above / f"{owner.pid}-{owner.started}")

    def kafka(self) -> Kafka:
        """The one broker that all workers share: the first to ask starts it."""
        with locked(self.folder / "kafka"):
            kafka = Kafka(self.folder / "kafka", self._port("kafka", 2), self._log("kafka"), heap_mb=512)
            ensure(kafka, Deadline(_PATIENCE_S))
        return kafka

    def postgres(self, worker: str) -> Postgres:
        return self._started(self._postgres(f"postgres-{worker}"))

    def private_kafka(self, name: str) -> PrivateKafka:
        return PrivateKafka(Kafka(self.folder / name, self._port(name, 2), self._log(name)))

    def private_postgres(self, name: str) -> PrivatePostgres:
        return PrivatePostgres(self._postgres(name))

    def enter(self) -> None:
        """Marks whatever this process starts from now on as the session's, workers and their children too."""
        os.environ[FOLDER] = os.environ[MARK] = str(self.folder)

    @classmethod
    def entered(cls) -> Session:
        """The one that this process, or the one that started it, has entered."""
        return cls(Path(os.environ[FOLDER]))

    def layout(self, name: str = "run") -> Layout:
        """A new run folder and free ports for a stack of a test's own, which ends with the session at the latest."""
        bases = random.sample(range(10_000, 19_900, 100), k=99)
        base = next(base for base in bases if all(is_free(base + port) for port in _STACK_PORTS))
        return Layout(self.folder / "stacks" / uuid.uuid4().hex[:8] / name, base)

    def finish(self) -> None:
        """Ends every process of the session, then removes its folder."""
        end(all_of(self.folder), by=signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _postgres(self, name: str) -> Postgres:
        return Postgres(self.folder / name, self._port(name, 1), _PASSWORD, self._log(name))

    def _started(self, postgres: Postgres) -> Postgres:
        with locked(postgres.folder):
            ensure(postgres, Deadline(_PATIENCE_S))
        return postgres

    def _port(self, name: str, count: int) -> int:
        """The same at each call: it is written down with the first."""
        path = self.folder / name / "port"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(free(count, self.folder / "ports")[0]))
        return int(path.read_text())

    def _log(self, name: str) -> Path:
        return self.folder / name / "logs" / f"{name}.log"


class _Private:
    """A server of one test's own, which it may break as it likes. All calls block; from async code use to_thread."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def pid(self) -> int:
        process = self._server.process()
        assert process is not None, f"{self._server.name} does not run"
        return process.pid

    def start(self) -> None:
        """Starts it where it does not run, and waits until it answers."""
        ensure(self._server, Deadline(_PATIENCE_S))

    def kill(self) -> None:
        """SIGKILL, to every process of it: what a loss of power leaves."""
        end(self._server.remains(), by=signal.SIGKILL)

    def stop(self) -> None:
        """SIGSTOP, to every process of it: connections stay open and nothing answers any more."""
        freeze(self._server.remains())

    def cont(self) -> None:
        """SIGCONT: it goes on where it was."""
        thaw(self._server.remains())

    def shut_down(self) -> None:
        """Ends it the gentle way; its data stay."""
        self._server.stop()


class PrivateKafka(_Private):
    """`url` is for bootstrap servers."""

    def __init__(self, kafka: Kafka) -> None:
        super().__init__(kafka)
        self.url = kafka.bootstrap
        self._folder = kafka.folder

    def wipe(self) -> None:
        """Kills it and throws away its data: the next start makes a new, empty cluster."""
        self.kill()
        shutil.rmtree(self._folder / "data")


class PrivatePostgres(_Private):
    """`url` is the superuser's, of the database `postgres`."""

    def __init__(self, postgres: Postgres) -> None:
        super().__init__(postgres)
        self.url = postgres.url


@contextmanager
def fresh_database(postgres: str) -> Iterator[str]:
    """The URL of an empty database, dropped in the end, connections or not."""
    name = f"t_{uuid.uuid4().hex}"
    execute(postgres, [f"CREATE DATABASE {name}"])
    yield urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
    execute(postgres, [f"DROP DATABASE {name} WITH (FORCE)"])


@contextmanager
def fresh_prefix(bootstrap: str | None) -> Iterator[str]:
    """Nobody else's; what was made under it in that broker is removed in the end."""
    prefix = f"t{uuid.uuid4().hex[:10]}."
    yield prefix
    if bootstrap:
        delete_topics(bootstrap, prefix)


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Removes what a test has left in the shared broker."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _delete_topics(bootstrap, prefix)).result()


async def _delete_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    async with asyncio.timeout(30):
        await admin.start()
        try:
            if ours := [topic for topic in await admin.list_topics() if topic.startswith(prefix)]:
                await admin.delete_topics(ours)
        finally:
            await admin.close()


def _owner_lives(folder: Path) -> bool:
    pid, _, started = folder.name.partition("-")
    owner = look(int(pid)) if pid.isdigit() else None
    return owner is not None and str(owner.started) == started
