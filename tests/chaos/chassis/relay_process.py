"""A relay in a process of its own, run by `-m tests.chaos.chassis.relay_process`, which strikes at the worst point.

`STRIKE` is the signal's number (none where it is not given), sent between a round's acknowledgement and its cursor;
`NAIVE=1` moves the cursor before it publishes, as the control arm.
"""

import asyncio
import os
import signal
from collections.abc import Sequence

import asyncpg

from chassis import outbox, relay_lease
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.publisher import KafkaPublisher, Sent
from chassis.relay import Relay
from chassis.settings import ServiceSettings


class Struck(KafkaPublisher):
    """Strikes its own process once, when the first round is acknowledged."""

    def __init__(self, settings: ServiceSettings, strike: int) -> None:
        super().__init__(settings)
        self._strike = strike

    async def send(self, rows: Sequence[asyncpg.Record]) -> Sent:
        sent = await super().send(rows)
        strike, self._strike = self._strike, 0
        if strike:
            os.kill(os.getpid(), strike)
        return sent


async def naive(db: Database, settings: ServiceSettings, strike: int) -> None:
    """Marks first, publishes afterwards: what a kill between the two takes away is gone."""
    publisher = KafkaPublisher(settings)
    await publisher.start()
    async with db.connection() as connection:
        lease = await relay_lease.take(connection, settings.replica)
        assert lease is not None
        rows = (await outbox.read(connection, lease.cursor)).rows
        await lease.advance(connection, outbox.place_of(rows[-1]))
        os.kill(os.getpid(), strike)
    await publisher.send(rows)


async def main() -> None:
    settings = ServiceSettings.from_environment()
    strike = int(os.environ.get("STRIKE", "0"))
    db = Database(settings.dsn, name=f"relay {settings.replica}")
    await db.open()
    if os.environ.get("NAIVE"):
        await naive(db, settings, strike)
        return
    relay = Relay(db, settings, Metrics(), publisher=Struck(settings, strike))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.stop)
    await relay.run()
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
