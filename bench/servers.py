"""The real PostgreSQL and Kafka that benchmarks run against, started for the run and removed after it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import Ground
from local_stack.server import Server
from tests.support.servers import Session

RUNS = Path(__file__).resolve().parents[1] / ".run-bench"


@contextmanager
def ground() -> Iterator[Ground]:
    """Servers of this run's own, with their durable settings; those of a run that died are ended first.

    DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS name others, whose CPU is then not seen.
    """
    session = Session.begin(RUNS)
    try:
        yield _found() or _started(session)
    finally:
        session.finish()


def _found() -> Ground | None:
    postgres, kafka = os.environ.get("DATABASE_URL"), os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return Ground(postgres, kafka, (), (), _prefix()) if postgres and kafka else None


def _started(session: Session) -> Ground:
    kafka, postgres = session.kafka(), session.postgres("bench")
    return Ground(postgres.url, kafka.bootstrap, _pids(postgres), _pids(kafka), _prefix())


def _pids(server: Server) -> tuple[int, ...]:
    process = server.process()
    return (process.pid,) if process else ()


def _prefix() -> str:
    return f"bench-{secrets.token_hex(3)}."
