"""Puts escalation together: the only place that constructs anything."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from fastapi import FastAPI

from chassis import migrations
from chassis.alarm import Alarm
from chassis.clock import Clock, SystemClock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.forgetting import forget_keys
from chassis.key_table import KeyTable
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.relay import Relay
from chassis.service import Service
from chassis.store import Appended
from chassis.topics import Topics
from chassis.web import application
from escalation import api
from escalation.adapters.breaches import broken
from escalation.adapters.progress import Progress
from escalation.adapters.rules import RuleTable, SqlRuleStore
from escalation.adapters.seals import seals_of
from escalation.adapters.steady import SteadyClock
from escalation.adapters.store import SqlStore
from escalation.app.escalations import Escalations
from escalation.app.ports import Kept
from escalation.app.rulebook import Rulebook
from escalation.app.watch import Watch
from escalation.consumers import CONSUMER, Follower
from escalation.domain.request import SOURCE, TOPIC
from escalation.metrics import CATALOGUE, DETECTION
from escalation.settings import EscalationSettings

_NET_S = 1.0
# Keys are asked for when somebody escalates, who has read the contact before; then they are waited for.
_KEYS_MS = 200


def build(settings: EscalationSettings, wall: Clock | None = None) -> FastAPI:
    """Escalation as an application that connects to nothing until it is served. `wall` is the host's clock."""
    db = Database(settings.dsn, name=f"escalation {settings.replica}")
    metrics = Metrics(CATALOGUE)
    clock = SteadyClock(db, wall or SystemClock(), metrics)
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)
    table = RuleTable()
    detection = metrics.histogram(DETECTION)

    def appended(events: Appended) -> None:
        events.count(metrics)
        relay.wake()

    def told(kept: Kept) -> None:
        appended(kept.appended)
        for (partition, request_id), at_us in kept.moments.items():
            watch.put(partition, request_id, at_us)
        for late_us in kept.detected_us:
            detection.observe(late_us / 1e6)
        alarm.wake()

    def lost(partitions: Iterable[int]) -> None:
        watch.lost(partitions)

    rules = SqlRuleStore(db, table, clock, appended)
    store = SqlStore(db, rules=table, clock=clock, told=told)
    follower = Follower(store.unit, told, lost, metrics=metrics, clock=clock)
    log = Consumer(
        CONSUMER,
        [TOPIC],
        db=db,
        settings=settings,
        handler=follower,
        metrics=metrics,
        most=settings.batch_records,
        parking=follower,
    )
    keys = Consumer(
        "escalation-keys",
        ["keys"],
        db=db,
        settings=settings,
        handler=KeyTable(keyring),
        metrics=metrics,
        gather_ms=_KEYS_MS,
    )
    progress = Progress(log, metrics)
    watch = Watch(store, clock, held=progress.held, positions=progress.positions, settle_us=settings.settle_ms * 1_000)
    alarm = Alarm(watch.work, net_s=_NET_S, name="watch")
    ticking = Alarm(clock.check, net_s=_NET_S, name="clock")
    progress.show(watch)

    service = Service("escalation")
    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)
    service.background("forgetting", lambda: forget_keys(db, clock))
    service.background("log", log.run, stop=log.stop)
    service.background("keys", keys.run, stop=keys.stop)
    service.background("clock", ticking.run, stop=ticking.stop)
    service.background("watch", alarm.run, stop=alarm.stop)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "escalation"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)
    checks.add("log", log.check)
    checks.add("keys", keys.check)
    checks.add("watch", progress.check)
    checks.add("clock", clock.finding)

    return application(
        title="Throughline escalation",
        version="1",
        description="Watches promises, and decides when a higher tier must help.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routers=api.routers(
            Escalations(store, rules, seals_of(db, keyring), clock), Rulebook(rules), partial(broken, db)
        ),
    )
