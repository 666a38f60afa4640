"""Audit as processes that are killed and frozen, on a real PostgreSQL and Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.audit import Audits


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Audits]:
    """An empty database and empty topics, to run replicas on."""
    async with Audits(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made
