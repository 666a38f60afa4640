"""Kb-search with processes that may be killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.kb_search import Libraries


@pytest.fixture
async def service(database_url: str, tmp_path: Path, kafka: str, topic_prefix: str) -> AsyncIterator[Libraries]:
    """An empty database and empty topics, to run replicas on."""
    async with Libraries(database_url, tmp_path, kafka, topic_prefix) as made:
        yield made
