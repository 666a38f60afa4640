"""The whole stack of one run folder: brought up, taken down, and looked at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local_stack import databases, kafka, postgres
from local_stack.credentials import SUPERUSER, Credentials, credentials
from local_stack.deadline import Deadline
from local_stack.errors import Failed
from local_stack.files import locked, replace_file
from local_stack.kafka import Kafka
from local_stack.layout import Layout
from local_stack.postgres import Postgres
from local_stack.processes import Process, memory_mb
from local_stack.server import Server, ensure
from local_stack.services import SERVICES, Service, ServiceServer

UP_S = 110.0

# Told with the part's name and what it is at now; "" when it is done.
Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of `status`."""

    name: str
    port: int
    state: str
    pid: int | None = None
    memory_mb: float = 0.0
    age_s: float = 0.0


class Stack:
    """Kafka and PostgreSQL (unless the environment names servers that run already) and the services upon them."""

    def __init__(self, layout: Layout, environment: Mapping[str, str], services: Sequence[Service] = SERVICES) -> None:
        self.layout = layout
        self._rows = services
        self._names = [service.name for service in services]
        self._given_kafka = environment.get("KAFKA_BOOTSTRAP_SERVERS") or None
        self._given_database = environment.get("DATABASE_URL") or None

    def up(self, deadline: Deadline, say: Say) -> None:
        """Starts what does not run and replaces what does not answer, until every service is ready.

        Raises Failed. `stack.json` tells in any case what runs afterwards.
        """
        with locked(self.layout.run):
            known = credentials(self.layout.secrets_file, self._names)
            services = self._services(known)
            try:
                with ThreadPoolExecutor(2 + len(services)) as threads:
                    self._bring_up(threads, known, services, deadline, say)
            finally:
                self._write_facts(known, services)

    def down(self, say: Say) -> bool:
        """Ends every process of the stack, frozen and orphaned ones too; False where there was none. Raises Failed."""
        if not self.layout.run.exists():
            return False
        with locked(self.layout.run):
            return self._take_down(say)

    def clean(self, say: Say) -> None:
        """Takes it down and removes its folder. Raises Failed where that folder is not one of a stack."""
        run = self.layout.run
        if not run.exists():
            return
        if not self.layout.secrets_file.exists() and any(run.iterdir()):
            raise Failed(
                f"{run} does not look like a stack's run folder (no {self.layout.secrets_file.name}); left alone"
            )
        with locked(run):
            self._take_down(say)
            shutil.rmtree(run)

    def conditions(self) -> list[Condition]:
        """What each part is at, asked at once."""
        if not self.layout.secrets_file.exists():
            return []
        known = credentials(self.layout.secrets_file, self._names)
        parts: list[Server] = [*self._own_servers(known), *self._services(known)]
        with ThreadPoolExecutor(len(parts) or 1) as threads:
            return list(threads.map(_condition, parts))

    def _bring_up(
        self,
        threads: ThreadPoolExecutor,
        known: Credentials,
        services: list[ServiceServer],
        deadline: Deadline,
        say: Say,
    ) -> None:
        log = threads.submit(self._kafka_up, deadline, say)
        base = threads.submit(self._postgres_up, known, deadline, say)
        served = [threads.submit(_service_up, service, log, base, deadline, say) for service in services]
        try:
            problems = [problem for work in (log, base, *served) if (problem := work.exception())]
        except KeyboardInterrupt:
            deadline.expire()
            raise
        _raise(problems)

    def _kafka_up(self, deadline: Deadline, say: Say) -> None:
        if self._given_kafka is None:
            _ensured(self._kafka(), deadline, say)
        elif not kafka.answers(self._given_kafka):
            raise Failed(f"KAFKA_BOOTSTRAP_SERVERS={self._given_kafka}: no Kafka with a controller answers there")

    def _postgres_up(self, known: Credentials, deadline: Deadline, say: Say) -> None:
        if self._given_database is None:
            server = self._postgres(known)
            _ensured(server, deadline, say)
            databases.make_own(server, known, self._names)
        elif postgres.answers(self._given_database):
            databases.make_given(self._given_database, self._urls(known))
        else:
            raise Failed("DATABASE_URL: no PostgreSQL answers there, or it does not take this login")

    def _take_down(self, say: Say) -> bool:
        known = credentials(self.layout.secrets_file, self._names)
        stopped = _stopped(self._services(known), say)
        stopped += _stopped([self._kafka(), self._postgres(known)], say)
        self.layout.stack_file.unlink(missing_ok=True)
        return bool(stopped)

    def _own_servers(self, known: Credentials) -> list[Server]:
        own: list[Server] = [] if self._given_kafka else [self._kafka()]
        return own if self._given_database else [*own, self._postgres(known)]

    def _kafka(self) -> Kafka:
        return Kafka(self.layout.run / "kafka", self.layout.kafka_port, self.layout.logs / "kafka.log")

    def _postgres(self, known: Credentials) -> Postgres:
        log = self.layout.logs / "postgres.log"
        return Postgres(self._postgres_folder(), self.layout.postgres_port, known.passwords[SUPERUSER], log)

    def _postgres_folder(self) -> Path:
        return self.layout.run / "postgres"

    def _bootstrap(self) -> str:
        return self._given_kafka or self._kafka().bootstrap

    def _urls(self, known: Credentials) -> dict[str, str]:
        if self._given_database:
            return databases.given_urls(self._given_database, self._names)
        return databases.own_urls(self._postgres(known), known, self._names)

    def _services(self, known: Credentials) -> list[ServiceServer]:
        urls = self._urls(known)
        return [self._service(row, known, urls[row.name]) for row in self._rows]

    def _service(self, row: Service, known: Credentials, database: str) -> ServiceServer:
        told = row.told(
            self.layout.port_base,
            kafka=self._bootstrap(),
            database=database,
            master_key=known.master_key,
            tokens=known.tokens,
        )
        own = self._postgres_folder() / f"{row.name}.migrated"
        return ServiceServer(row, self.layout.run, self.layout.port_base, told, None if self._given_database else own)

    def _write_facts(self, known: Credentials, services: list[ServiceServer]) -> None:
        running = {part.name: part.process() for part in (*services, *self._own_servers(known))}
        facts = {
            **{service.name: service.url for service in services},
            "kafka": self._bootstrap(),
            "postgres": self._urls(known),
            "pids": {name: process.pid for name, process in running.items() if process is not None},
            "token": known.token,
        }
        replace_file(self.layout.stack_file, json.dumps(facts, indent=1) + "\n", mode=0o600)


def _raise(problems: Sequence[BaseException]) -> None:
    """A service that waited in vain for Kafka or PostgreSQL has the same problem as these: each is said once."""
    for problem in problems:
        if not isinstance(problem, Failed):
            raise problem
    if problems:
        raise Failed("\n".join(dict.fromkeys(str(problem) for problem in problems)))


def _service_up(service: ServiceServer, log: Future[None], base: Future[None], deadline: Deadline, say: Say) -> None:
    """Its database is all that a service needs to start; to be ready it needs Kafka too."""
    base.result()
    if service.is_outdated():
        service.stop()
    if service.process() is None:
        say(service.name, "migrating its database")
        service.migrate(deadline)
    _ensured(service, deadline, say, done="waiting for Kafka")
    log.result()
    say(service.name, "becoming ready")
    service.await_ready(deadline)
    say(service.name, "")


def _ensured(server: Server, deadline: Deadline, say: Say, done: str = "") -> None:
    say(server.name, "starting" if server.process() is None else "looking whether it answers")
    ensure(server, deadline)
    say(server.name, done)


def _stopped(parts: Sequence[Server], say: Say) -> list[str]:
    """Ends these parts side by side; gives the names of those that ran."""
    found = [part for part in parts if part.remains()]
    with ThreadPoolExecutor(len(found) or 1) as threads:
        for work in [threads.submit(partial(_stop, part, say)) for part in found]:
            work.result()
    return [part.name for part in found]


def _stop(part: Server, say: Say) -> None:
    say(part.name, "stopping")
    part.stop()
    say(part.name, "")


def _condition(part: Server) -> Condition:
    process = part.process()
    if process is None:
        return Condition(part.name, part.port, "not running")
    memory = sum(memory_mb(each) for each in part.remains())
    return Condition(part.name, part.port, _state(part, process), process.pid, memory, process.age_s())


def _state(part: Server, process: Process) -> str:
    if not process.is_frozen() and part.answers():
        return part.readiness() if isinstance(part, ServiceServer) else "answers"
    return "frozen" if process.is_frozen() else "does not answer"
