"""What has served its time is let go of, and what has not is kept."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from chassis.database import Database
from chassis.forgetting import KEPT_US as KEYS_KEPT_US
from chassis.forgetting import forget_keys
from kb_search.adapters.forgetting import DAY_US, GAPS_KEPT_US, SAID_KEPT_US, gaps, said
from tests.support.clocks import SetClock
from tests.support.kb_search import Libraries
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_old_keys_words_and_gaps_go_and_younger_ones_stay(alone: Libraries) -> None:
    clock = SetClock()
    for name, kept_us in (("old", -1), ("young", DAY_US)):
        then = [clock.at_us - kept + kept_us for kept in (KEYS_KEPT_US, SAID_KEPT_US, GAPS_KEPT_US)]
        await alone.rows(
            "insert into idempotency_keys (scope, key, hash, answer, made_us) values ('s', $1, '', '', $2) returning 1",
            name,
            then[0],
        )
        await alone.rows(
            "insert into said (request_id, event_id, type, schema_version, said_us, payload)"
            " values ($1, gen_random_uuid(), 'MessageReceived', 1, $2, '') returning 1",
            name,
            then[1],
        )
        await alone.rows("insert into gaps values ('search', $1, 1, 0, $2) returning 1", name, then[2])
    db = Database(alone.dsn, name="tests")
    await db.open()
    task = asyncio.create_task(forget_keys(db, clock, said, gaps))

    async def left() -> bool:
        names = (
            "select key from idempotency_keys union all select request_id from said union all select asked from gaps"
        )
        return await alone.rows(names) == [("young",)] * 3

    await until(left)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await db.close()
