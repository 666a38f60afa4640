"""The deployment's topics: made once with their settings, checked at each start, in the background."""

import asyncio

from chassis.database import Database
from chassis.readiness import Finding
from chassis.settings import ServiceSettings


class Topics:
    """Makes the topics that are missing, and checks settings and partition counts against the recorded ones."""

    def __init__(self, settings: ServiceSettings, db: Database) -> None:
        raise NotImplementedError

    @property
    def made(self) -> asyncio.Event:
        """Set when every topic is there as it must be; relay and consumers wait for it."""
        raise NotImplementedError

    async def ensure(self) -> None:
        """Tries until done, however long Kafka or the database is away.

        Raises `Misconfigured` where a count differs from the recorded one: keys would have moved.
        """
        raise NotImplementedError

    def check(self) -> Finding:
        """For `/readyz`."""
        raise NotImplementedError
