"""The relay: committed event rows to Kafka, in commit-safe order, by one publisher at a time."""

import asyncio

from chassis.database import Database
from chassis.metrics import Metrics
from chassis.readiness import Finding
from chassis.settings import ServiceSettings


class Relay:
    """Publishes a service's event rows. Every replica has one; the one that holds the fenced lease publishes."""

    def __init__(
        self, db: Database, settings: ServiceSettings, metrics: Metrics, *, ready: asyncio.Event | None = None
    ) -> None:
        """`ready` is `Topics.made`: nothing is sent before it is set (sending to an unknown topic hangs)."""
        raise NotImplementedError

    async def run(self) -> None:
        """Publish until `stop()`; Kafka's and PostgreSQL's absence is waited out."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask `run` to end; the lease is given back."""
        raise NotImplementedError

    def wake(self) -> None:
        """There is something new: call it after each commit. A replica without the lease tells the one that has it."""
        raise NotImplementedError

    def check(self) -> Finding:
        """For `/readyz`: the lease, the last error, the bound's age, a cursor from another cluster."""
        raise NotImplementedError
