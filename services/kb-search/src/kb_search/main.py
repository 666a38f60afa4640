"""Puts kb-search together: the only place that constructs anything."""

from fastapi import FastAPI

from chassis import migrations
from chassis.clock import SystemClock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.dispatch import Dispatch
from chassis.forgetting import forget_keys
from chassis.key_table import KeyTable
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.readiness import Checks
from chassis.relay import Relay
from chassis.service import Service
from chassis.signals import Signals
from chassis.topics import Topics
from chassis.web import application
from kb_search import api
from kb_search.adapters import forgetting
from kb_search.adapters.articles import SqlArticles
from kb_search.adapters.bookmarks import SqlBookmarks
from kb_search.adapters.gaps import SqlGaps
from kb_search.adapters.mirror import Mirror
from kb_search.adapters.requests import SqlRequests
from kb_search.adapters.text_index import TextIndex
from kb_search.adapters.vault import KeyVault
from kb_search.app.commands import SOURCE, Commands
from kb_search.app.desk import Desk
from kb_search.app.library import Library
from kb_search.app.looking_up import LookingUp
from kb_search.app.missed import Missed
from kb_search.app.searching import Searching
from kb_search.consumers import CONSUMER, TOPICS, handlers
from kb_search.metrics import ARTICLES, CATALOGUE
from kb_search.settings import KbSearchSettings


def build(settings: KbSearchSettings) -> FastAPI:
    """kb-search as an application that connects to nothing until it is served."""
    clock = SystemClock()
    db = Database(settings.dsn, name=f"kb-search {settings.replica}")
    metrics = Metrics(CATALOGUE)
    topics = Topics(settings, db)
    relay = Relay(db, settings, metrics, ready=topics.made)
    signals = Signals(db)
    keyring = Keyring(settings.master_key_bytes, source=SOURCE, clock=clock)
    articles, requests, gaps = SqlArticles(), SqlRequests(), SqlGaps()

    index = TextIndex()
    mirror = Mirror(db, index, signals)
    metrics.refresh_with(lambda: metrics.gauge(ARTICLES).set(index.articles))
    missed = Missed(db, gaps, clock)
    searching = Searching(index, mirror, missed.note, metrics)
    commands = Commands(db, clock, metrics, relay.wake)
    library = Library(db, articles, commands, signals, mirror)
    desk = Desk(db, articles, requests, SqlBookmarks(), gaps, commands, clock)
    looking_up = LookingUp(
        db, requests, KeyVault(keyring), searching, mirror, gaps, clock, metrics, published=relay.wake
    )

    heard = handlers(requests, clock, looking_up.heard)
    dispatch = Dispatch(CONSUMER, heard, source=SOURCE, metrics=metrics, clock=clock)
    contacts = Consumer(
        CONSUMER, TOPICS, db=db, settings=settings, handler=dispatch, parking=dispatch, metrics=metrics, clock=clock
    )
    keys = Consumer("kb-search-keys", ["keys"], db=db, settings=settings, handler=KeyTable(keyring), metrics=metrics)

    service = Service("kb-search")
    service.around(start=db.open, stop=db.close)
    service.background("topics", topics.ensure, ends=True)
    service.background("relay", relay.run, stop=relay.stop)
    service.background("signals", signals.run)
    service.background("index", mirror.run, stop=mirror.stop)
    service.background("contacts", contacts.run, stop=contacts.stop)
    service.background("keys", keys.run, stop=keys.stop)
    service.background("lookups", looking_up.run, stop=looking_up.stop)
    service.background("missed", missed.run, stop=missed.stop)
    service.background("forgetting", lambda: forget_keys(db, clock, forgetting.said, forgetting.gaps))

    checks = Checks()
    checks.add("database", db.check, vital=True)
    checks.add("schema", lambda: migrations.check(db, "kb_search"), vital=True)
    checks.add("tasks", service.check, vital=True)
    checks.add("index", mirror.check, vital=True)
    checks.add("kafka", topics.check)
    checks.add("relay", relay.check)
    checks.add("log", contacts.check)
    checks.add("keys", keys.check)
    checks.add("signals", signals.check)

    return application(
        title="Throughline kb-search",
        version="1",
        description="Finds the articles that help with a request.",
        settings=settings,
        checks=checks,
        metrics=metrics,
        service=service,
        routers=api.routers(library, searching, desk),
    )
