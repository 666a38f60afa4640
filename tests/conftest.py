"""The fixtures that stand on real servers, and what every test session does first and last."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.servers import PrivateKafka, PrivatePostgres, Session, fresh_database, fresh_prefix

ROOT = Path(__file__).resolve().parents[1]
WITH_SERVERS = ("integration", "contracts", "e2e", "chaos", "local")


def pytest_configure(config: pytest.Config) -> None:
    """The controller begins the session; its workers inherit where it lies."""
    if not _is_worker(config):
        Session.begin(ROOT / ".run-tests").enter()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        Session.entered().finish()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what lies in a folder of tests with servers, and whatever asks for one, wherever it lies."""
    for item in items:
        parts = item.path.relative_to(ROOT / "tests").parts
        servers = {"kafka", "postgres", "private_kafka", "private_postgres"} & set(getattr(item, "fixturenames", ()))
        if servers or parts[0] in WITH_SERVERS:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def session() -> Session:
    return Session.entered()


@pytest.fixture(scope="session")
def kafka(session: Session) -> str:
    """The bootstrap server of a real broker, shared by all workers: name topics with `topic_prefix`."""
    return session.kafka().bootstrap


@pytest.fixture(scope="session")
def postgres(session: Session, worker: str) -> str:
    """The superuser's URL of a real PostgreSQL, one per worker."""
    return session.postgres(worker).url


@pytest.fixture(scope="session")
def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture
def make_database(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes a fresh database at each call and gives its URL; they are dropped after the test, connections or not."""
    with ExitStack() as made:
        yield lambda: made.enter_context(fresh_database(postgres))


@pytest.fixture
def database_url(make_database: Callable[[], str]) -> str:
    """A fresh, empty database."""
    return make_database()


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """Nobody else's; what was made under it in the shared broker is removed after the test."""
    with fresh_prefix(request.getfixturevalue("kafka") if "kafka" in request.fixturenames else None) as prefix:
        yield prefix


@pytest.fixture
def private_kafka(session: Session) -> Iterator[PrivateKafka]:
    """A broker of this test's own, running, to be killed, frozen, wiped and started again."""
    own = session.private_kafka(f"kafka-{uuid.uuid4().hex[:8]}")
    own.start()
    yield own
    own.kill()


@pytest.fixture
def private_postgres(session: Session) -> Iterator[PrivatePostgres]:
    """A PostgreSQL of this test's own, running, to be killed, frozen and started again."""
    own = session.private_postgres(f"postgres-{uuid.uuid4().hex[:8]}")
    own.start()
    yield own
    own.kill()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
