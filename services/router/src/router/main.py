"""Puts router together: the only place that constructs anything."""

from __future__ import annotations

from fastapi import FastAPI

from chassis import migrations
from chassis.clock import SystemClock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.dispatch import Dispatch
from chassis.ids import new_id
from chassis.key_table import KeyTable
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.relay import Relay
from chassis.service import Service
from chassis.signals import Signals
from chassis.topics import Topics
from chassis.web import application
from router import consumers
from router.adapters.book import SqlBook, hold_agents
from router.adapters.herald import Herald
from router.adapters.requests import SqlRequests
from router.api import request_docs, requests
from router.app.following import Following
from router.app.moved import Applied
from router.app.orders import Orders
from router.domain.request import SOURCE
from router.settings import RouterSettings


def build(settings: RouterSettings) -> FastAPI:
    """Router as an application that connects to nothing until it is served."""
    clock = SystemClock()
    db = Database(settings.dsn, name=f"router {settings.replica}")
    metrics = Metrics()
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)
    signals = Signals(db)
    herald = Herald(db, signals)

    def told(applied: Applied) -> None:
        applied.appended.count(metrics)
        relay.wake()
        herald.tell(applied.queues, applied.agents)

    orders = Orders(SqlRequests(db, keyring, clock, told), clock)
    dispatch = Dispatch(
        "router",
        consumers.handlers(Following(clock, new_id, told), SqlBook),
        source=SOURCE,
        metrics=metrics,
        streams=consumers.streams_of,
        clock=clock,
    )
    contacts = Consumer(
        "router",
        ["contacts"],
        db=db,
        settings=settings,
        handler=consumers.InOrder(dispatch, hold_agents),
        metrics=metrics,
        most=consumers.MOST,
        parking=dispatch,
    )
    keys = Consumer("router-keys", ["keys"], db=db, settings=settings, handler=KeyTable(keyring), metrics=metrics)

    service = Service("router")
    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)
    service.background("contacts", contacts.run, stop=contacts.stop)
    service.background("keys", keys.run, stop=keys.stop)
    service.background("signals", signals.run)
    service.background("herald", herald.run)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "router"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)
    checks.add("contacts", contacts.check)
    checks.add("keys", keys.check)

    app = application(
        title="Throughline router",
        version="1",
        description="Brings each request to the right agent: who is offered it, who holds it, and when.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routes=requests.routes(orders),
    )
    request_docs.add(app)
    return app
