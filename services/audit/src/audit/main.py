"""Puts audit together: the only place that constructs anything."""

from collections.abc import Sequence

from fastapi import FastAPI

from audit import api
from audit.adapters import collector
from audit.adapters.kept import SqlKept
from audit.adapters.log import CONSUMER, SqlLog
from audit.adapters.reports import SqlReports
from audit.adapters.requests import SqlRequests
from audit.adapters.schema import LIVE
from audit.adapters.timelines import SqlTimelines
from audit.adapters.watch import Watch
from audit.app.answers import Answers
from audit.app.exports import Exports
from audit.app.following import Follower, News
from audit.app.ingest import Ingest, Taken
from audit.domain.batch import content_of
from audit.domain.cursor import Partition, Vector, layout_of
from audit.domain.reading import TOPICS
from audit.metrics import CATALOGUE, DUPLICATES_TOTAL, UNREADABLE_TOTAL
from audit.settings import AuditSettings
from chassis import kafka, migrations
from chassis.clock import SystemClock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.key_table import KeyTable
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.service import Service
from chassis.topics import Topics
from chassis.web import application

_SOURCE = "/services/audit"


def build(settings: AuditSettings) -> FastAPI:
    """Audit as an application that connects to nothing until it is served."""
    clock = SystemClock()
    db = Database(settings.dsn, name=f"audit {settings.replica}")
    metrics = Metrics(CATALOGUE)
    topics = Topics(settings, db)
    keyring = Keyring(settings.master_key_bytes, source=_SOURCE, clock=clock)
    service = Service("audit")
    news = News()
    duplicates, unreadable = metrics.counter(DUPLICATES_TOTAL), metrics.counter(UNREADABLE_TOTAL)

    def taken(batch: Taken) -> None:
        duplicates.inc(batch.duplicates)
        unreadable.inc(batch.unreadable)
        news.tell()

    ingest = Ingest(SqlKept(LIVE), most_events=settings.cached_events, told=taken)
    log_consumer = Consumer(
        CONSUMER,
        TOPICS,
        db=db,
        settings=settings,
        handler=ingest,
        metrics=metrics,
        most=settings.batch_records,
        read=content_of,
    )
    key_consumer = Consumer(
        "audit-keys", ["keys"], db=db, settings=settings, handler=KeyTable(keyring), metrics=metrics
    )
    watch = Watch(db, LIVE, metrics, clock)

    service.around(start=db.open, stop=db.close)
    service.around(start=collector.calm)
    service.background("topics", topics.ensure, ends=True)
    service.background("log", log_consumer.run, stop=log_consumer.stop)
    service.background("keys", key_consumer.run, stop=key_consumer.stop)
    service.background("watch", watch.run)

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "audit"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("topics", topics.check)
    checks.add("log", log_consumer.check)
    checks.add("keys", key_consumer.check)
    checks.add("projection", watch.check)

    layout = layout_of_deployment(settings)
    timelines, requests, log = SqlTimelines(db, LIVE, keyring), SqlRequests(db, LIVE), SqlLog(db, LIVE, keyring)
    answers = Answers(timelines, requests, SqlReports(db, LIVE, layout), log, layout)
    exports = Exports(timelines, requests, log, Vector(layout, {}))
    follower = Follower(log, news, service.stopping)
    app = application(
        title="Throughline audit",
        version="1",
        description="Keeps the log byte for byte, and answers exactly from it.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routes=api.hot_routes(answers),
        routers=api.routers(answers, exports, follower, log_consumer.positions),
    )
    api.document(app)
    return app


def layout_of_deployment(settings: AuditSettings) -> Sequence[Partition]:
    """Every partition of the topics that audit keeps."""
    return layout_of([(topic, kafka.partitions_of(settings, topic)) for topic in TOPICS])
