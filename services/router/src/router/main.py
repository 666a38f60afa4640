"""Puts router together: the only place that constructs anything."""

from __future__ import annotations

import time

from fastapi import FastAPI

from chassis import migrations
from chassis.alarm import Alarm
from chassis.clock import SystemClock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.dispatch import Dispatch
from chassis.forgetting import forget_keys
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
from router.adapters.agents import SqlAgents
from router.adapters.book import SqlBook, hold_agents
from router.adapters.due import SqlDue
from router.adapters.herald import AGENT, QUEUE, Herald
from router.adapters.passes import SqlPasses
from router.adapters.policies import SqlPolicies
from router.adapters.queues import SqlQueues
from router.adapters.requests import SqlRequests
from router.api import agents, queues, request_docs, requests, streams
from router.app.desks import Desks
from router.app.following import Following
from router.app.moved import Applied
from router.app.orders import Orders
from router.app.passes import Passes
from router.app.roster import Roster
from router.app.timers import Timers
from router.domain.matching import match
from router.domain.request import SOURCE
from router.gathering import Gathering
from router.metrics import CATALOGUE, Figures
from router.settings import RouterSettings


def steady_us() -> int:
    """Microseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000


def build(settings: RouterSettings) -> FastAPI:
    """Router as an application that connects to nothing until it is served."""
    clock = SystemClock()
    db = Database(settings.dsn, name=f"router {settings.replica}", by_index=True)
    metrics = Metrics(CATALOGUE)
    figures = Figures(metrics)
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)
    signals = Signals(db)
    herald = Herald(db, signals)

    def told(applied: Applied) -> None:
        applied.appended.count(metrics)
        relay.wake()
        herald.tell(applied.queues, applied.agents)
        for queue in applied.queues:
            passes.wake(queue)
        for agent_id in applied.agents:
            desks.wake(agent_id)

    orders = Orders(SqlRequests(db, keyring, clock, told), clock)
    following = Following(clock, new_id, told)
    gathering = Gathering(following, SqlBook)
    dispatch = Dispatch(
        "router",
        consumers.handlers(following, SqlBook, gathering),
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
        handler=consumers.InOrder(dispatch, hold_agents, gathering),
        metrics=metrics,
        most=consumers.MOST,
        parking=dispatch,
    )
    keys = Consumer("router-keys", ["keys"], db=db, settings=settings, handler=KeyTable(keyring), metrics=metrics)

    service = Service("router")
    store = SqlAgents(db, clock, told)
    desks = Desks(store, service.stopping)
    due = SqlDue(db, clock, told)
    roster = Roster(store, due)
    passes = Passes(SqlPasses(db, clock, match, told, holder=settings.replica), figures.passed)
    timers = Alarm(Timers(due, clock, steady_us, figures.late).work, net_s=1.0, name="timers")
    herald.hear(QUEUE, passes.wake)
    herald.hear(AGENT, desks.wake)

    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)
    service.background("forgetting", lambda: forget_keys(db, clock))
    service.background("contacts", contacts.run, stop=contacts.stop)
    service.background("keys", keys.run, stop=keys.stop)
    service.background("signals", signals.run)
    service.background("herald", herald.run)
    service.background("passes", passes.run, stop=passes.stop)
    service.background("timers", timers.run, stop=timers.stop)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "router"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)
    checks.add("contacts", contacts.check)
    checks.add("keys", keys.check)
    checks.add("signals", signals.check)

    app = application(
        title="Throughline router",
        version="1",
        description="Brings each request to the right agent: who is offered it, who holds it, and when.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routes=requests.routes(orders),
        routers=[
            agents.routes(roster),
            streams.routes(roster, desks),
            queues.routes(SqlQueues(db, clock), SqlPolicies(db, clock, told)),
        ],
    )
    request_docs.add(app)
    return app
