"""Intake on a real PostgreSQL, without Kafka: it must not need it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.intake import Caller, Intakes


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Intakes]:
    """An empty database of intake's, to run replicas on."""
    async with Intakes(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def intake(service: Intakes) -> Caller:
    """One running replica, within this process."""
    return await service.local()
