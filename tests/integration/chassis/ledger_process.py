"""The ledger's consumer as a process of its own (`python -m` this module), to be killed and frozen."""

import asyncio

from chassis import logs
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings
from tests.integration.chassis.ledger import NAME, Ledger


async def main() -> None:
    """Consumes until it is ended."""
    settings = ServiceSettings.from_environment()
    logs.configure(NAME, "INFO")
    db = Database(settings.dsn, name=NAME)
    await db.open()
    await Consumer(
        NAME, ["contacts"], db=db, settings=settings, handler=Ledger(settings.replica), metrics=Metrics()
    ).run()


if __name__ == "__main__":
    asyncio.run(main())
