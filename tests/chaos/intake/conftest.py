"""Intake on servers that may be killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_stack.postgres import execute
from tests.support.intake import Intakes
from tests.support.servers import PrivatePostgres


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Intakes]:
    """An empty database of intake's on the shared server."""
    async with Intakes(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def mortal(private_postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Intakes]:
    """An empty database of intake's on a server that this test may kill."""
    execute(private_postgres.url, ["CREATE DATABASE intake"])
    async with Intakes(private_postgres.url.rpartition("/")[0] + "/intake", tmp_path) as made:
        yield made
