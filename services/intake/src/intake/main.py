"""Puts intake together: the only place that constructs anything."""

from __future__ import annotations

from fastapi import FastAPI

from chassis import migrations
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.forgetting import forget_keys
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.relay import Relay
from chassis.service import Service
from chassis.store import Appended
from chassis.topics import Topics
from chassis.web import application
from intake import api
from intake.adapters.stores import SqlImportStore, SqlLiveStore
from intake.app.desk import Desk
from intake.app.importing import Imports
from intake.domain.streams import SOURCE
from intake.settings import IntakeSettings


def build(settings: IntakeSettings) -> FastAPI:
    """Intake as an application that connects to nothing until it is served."""
    clock = SystemClock()
    db = Database(settings.dsn, name=f"intake {settings.replica}")
    metrics = Metrics()
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)

    def committed(appended: Appended) -> None:
        appended.count(metrics)
        relay.wake()

    desk = Desk(SqlLiveStore(db.writer(), keyring, clock), clock, committed, patience_s=settings.patience_ms / 1_000)
    stores = [SqlImportStore(db.writer(), keyring) for _ in range(settings.import_connections)]
    imports = Imports(stores, committed, patience_s=settings.import_patience_ms / 1_000)

    service = Service("intake")
    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)
    service.background("forgetting", lambda: forget_keys(db, clock))
    service.background("group commit", desk.group.run, stop=desk.group.stop)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "intake"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)

    app = application(
        title="Throughline intake",
        version="1",
        description="Takes contacts in: is this a new one, a retry, or a continuation?",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routes=api.routes(desk, imports, settings.audit_url),
        body_limits=api.BODY_LIMITS,
    )
    api.document(app)
    return app
