"""The control arm: intake as it must not be, answering before the commit: `python -m tests.chaos.intake.eager`."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from chassis import migrations
from chassis.cli import commands
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.service import Service
from chassis.web import application
from intake import api
from intake.adapters.stores import SqlLiveStore
from intake.app.answers import Answer
from intake.app.desk import Desk
from intake.app.importing import Imports
from intake.domain.commands import Command
from intake.domain.streams import SOURCE
from intake.settings import IntakeSettings


class EagerDesk(Desk):
    """Says 202 on the strength of a queue in memory."""

    async def take(self, command: Command) -> Answer:
        self._later = asyncio.gather(super().take(command), return_exceptions=True)
        return Answer(command.request_id, command.event_id, SystemClock().now_us())


def build(settings: IntakeSettings) -> FastAPI:
    """As `intake.main.build`, with what this arm needs and nothing else."""
    clock, db = SystemClock(), Database(settings.dsn, name="eager")
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)
    desk = EagerDesk(SqlLiveStore(db.writer(), keyring, clock), clock, lambda _appended: None, patience_s=60)
    service = Service("eager")
    service.around(start=db.open, stop=db.close)
    service.background("group commit", desk.group.run, stop=desk.group.stop)
    checks = Checks()
    checks.add("schema", lambda: migrations.check(db, "intake"), vital=True)
    return application(
        title="eager",
        version="1",
        settings=settings,
        checks=checks,
        metrics=Metrics(),
        service=service,
        routes=api.routes(desk, Imports([], lambda _appended: None, patience_s=1), ""),
    )


if __name__ == "__main__":
    commands("eager", settings=IntakeSettings, build=build, package="intake")()
