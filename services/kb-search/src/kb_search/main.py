"""Puts kb-search together: the only place that constructs anything."""

from fastapi import FastAPI

from chassis import migrations
from chassis.database import Database
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.relay import Relay
from chassis.service import Service
from chassis.topics import Topics
from chassis.web import application
from kb_search.settings import KbSearchSettings


def build(settings: KbSearchSettings) -> FastAPI:
    """kb-search as an application that connects to nothing until it is served."""
    db = Database(settings.dsn, name=f"kb-search {settings.replica}")
    metrics = Metrics()
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)

    service = Service("kb-search")
    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "kb_search"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)

    return application(
        title="Throughline kb-search",
        version="1",
        description="Finds the articles that help with a request.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
    )
