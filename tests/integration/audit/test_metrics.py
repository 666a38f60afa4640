"""What audit tells of itself."""

from __future__ import annotations

import pytest

from tests.integration.audit.world import World, holds
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_residual_is_looked_up_and_is_0(world: World) -> None:
    async def shown() -> str:
        lines = (await world.audit.http.get("/metrics")).text.splitlines()
        return str(next(line for line in lines if line.startswith("throughline_residual_us ")))

    assert await shown() == "throughline_residual_us 0.0"
    await world.service.rows("update projection.requests set residual_us = -7 where request_id = 'odd'")
    await until(lambda: holds(shown, "throughline_residual_us 7.0"), 15)
    await world.service.rows("update projection.requests set residual_us = 0 where request_id = 'odd'")
    await until(lambda: holds(shown, "throughline_residual_us 0.0"), 15)


async def test_what_was_odd_is_counted(world: World) -> None:
    lines = (await world.audit.http.get("/metrics")).text.splitlines()
    counts = dict(line.split() for line in lines if line.startswith("throughline_audit_"))
    assert counts["throughline_audit_duplicates_total"] == "2.0"
    assert counts["throughline_audit_unreadable_total"] == "1.0"
