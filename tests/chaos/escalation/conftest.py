"""Escalation as processes that are killed, on servers that may be killed too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.escalation import Escalations
from tests.support.servers import PrivateKafka


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Escalations]:
    """An empty database and empty topics, to run replicas on."""
    async with Escalations(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made


@pytest.fixture
async def on_mortal_kafka(database_url: str, tmp_path: Path, private_kafka: PrivateKafka) -> AsyncIterator[Escalations]:
    """The same on a broker of the test's own."""
    async with Escalations(database_url, tmp_path, private_kafka.url, "mortal.") as made:
        yield made
