"""Queue policies in their table: every version whole, as its event told it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import asyncpg
import orjson

from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.keyed import committed, once
from chassis.store import Append, Appended, append, lock_streams
from chassis.trace import current_traceparent
from events.policies import RoutingPolicyVersioned
from router.app.moved import Applied
from router.domain.policies import Policy, evolve, versioned
from router.domain.request import SOURCE

_LOAD: Final = """
select q.queue, (select policy from policies p where p.queue = q.queue order by version desc limit 1) as policy
from unnest($1::text[]) q(queue)
"""
_KEEP: Final = "insert into policies (queue, version, policy) values ($1, $2, $3)"


def policy_of(queue: str, stored: bytes | None) -> Policy:
    """The policy in a `policies.policy`; the defaults where nobody wrote one."""
    return Policy(queue=queue) if stored is None else evolve(RoutingPolicyVersioned.model_validate_json(stored))


async def load(connection: asyncpg.Connection, queues: Iterable[str]) -> dict[str, Policy]:
    """The policies of these queues that hold now."""
    rows = await connection.fetch(_LOAD, list(queues))
    return {row["queue"]: policy_of(row["queue"], row["policy"]) for row in rows}


class SqlPolicies:
    """`app.policies.PolicyStore` in SQL."""

    def __init__(self, db: Database, clock: Clock, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit that stated something."""
        self._db = db
        self._clock = clock
        self._told = told

    async def look(self, queue: str) -> Policy:
        """See `PolicyStore`."""
        async with self._db.connection() as connection:
            return (await load(connection, [queue]))[queue]

    async def change(
        self, queue: str, changes: Mapping[str, Any], use: Use | None, answer: Callable[[Policy], bytes]
    ) -> bytes:
        """See `PolicyStore`. What follows the commit is done even where the caller has left."""
        return await self._db.finished(self._changed(queue, changes, use, answer))

    async def _changed(
        self, queue: str, changes: Mapping[str, Any], use: Use | None, answer: Callable[[Policy], bytes]
    ) -> bytes:
        async def work(tx: asyncpg.Connection) -> tuple[bytes, Appended | None]:
            stated: list[Appended] = []

            async def settle() -> bytes:
                policy, appended = await self._state(tx, queue, changes)
                stated.append(appended)
                return answer(policy)

            return await once(tx, use, settle, now_us=self._clock.now_us()), stated[0] if stated else None

        body, appended = await committed(self._db, work)
        if appended is not None:
            self._told(Applied({}, frozenset(), appended, frozenset([queue]), frozenset()))
        return body

    async def _state(self, tx: asyncpg.Connection, queue: str, changes: Mapping[str, Any]) -> tuple[Policy, Appended]:
        stream = f"policy:{queue}"
        await lock_streams(tx, [stream])
        fact = versioned((await load(tx, [queue]))[queue], changes)
        event = event_of(
            fact,
            event_id=new_id(),
            source=SOURCE,
            key=queue,
            occurred_us=self._clock.now_us(),
            traceparent=current_traceparent(),
        )
        appended = await append(tx, [Append(stream, None, (event,))])
        await tx.execute(_KEEP, queue, fact.version, orjson.dumps(fact.model_dump(mode="json")))
        return evolve(fact), appended
