"""The chassis's fixtures."""

from collections.abc import Callable

import pytest

from chassis.database import Database
from chassis.settings import ServiceSettings
from tests.integration.chassis.ledger import prepared
from tests.support.chassis import chassis_url, db, make_settings

__all__ = ["chassis_url", "db", "make_settings", "settings"]


@pytest.fixture
async def settings(
    make_settings: Callable[..., ServiceSettings], chassis_url: str, kafka: str, db: Database
) -> ServiceSettings:
    """With topics of the test's own, and the ledger's table."""
    return await prepared(make_settings(chassis_url, kafka), db)
