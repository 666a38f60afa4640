"""The real PostgreSQL and Kafka that benchmarks run against."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from bench.common import Ground


@contextmanager
def ground() -> Iterator[Ground]:
    """Servers named by DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS (their CPU is then not seen)."""
    yield Ground(
        postgres=os.environ["DATABASE_URL"],
        kafka=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        postgres_pids=(),
        kafka_pids=(),
        topic_prefix=f"bench-{secrets.token_hex(3)}-",
    )
