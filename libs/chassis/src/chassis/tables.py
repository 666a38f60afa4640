"""The chassis's own tables, made by each service's first migration."""

from typing import Final

from alembic.operations import Operations

from chassis import consumer_tables

# The primary key of events is the relay's index: it reads by (txid, id) within bounds on txid. Payloads are sealed
# boxes and will not compress, so they are kept as they are (storage external).
_MAKE: Final = (
    """
    create table streams (
        stream text primary key,
        version integer not null,
        last_us bigint not null,
        last_txid xid8 not null default pg_current_xact_id()
    ) with (fillfactor = 80)
    """,
    """
    create table events (
        txid xid8 not null default pg_current_xact_id(),
        id bigint generated always as identity,
        event_id uuid not null,
        stream text not null,
        version integer not null,
        type text not null,
        schema_version smallint not null,
        source text not null,
        topic text not null,
        key text not null,
        occurred_us bigint not null,
        clock_us bigint,
        causation_id uuid,
        correlation_id uuid,
        traceparent text,
        stored_at timestamptz not null default now(),
        payload bytea not null,
        primary key (txid, id)
    )
    """,
    "alter table events alter column payload set storage external",
    "create unique index events_by_stream on events (stream, version)",
    """
    create table relay_lease (
        name text primary key,
        epoch bigint not null default 0,
        holder text,
        until timestamptz not null default '-infinity',
        txid xid8 not null default '0',
        id bigint not null default 0
    ) with (fillfactor = 50)
    """,
    "insert into relay_lease (name) values ('relay')",
    """
    create table idempotency_keys (
        scope text not null,
        key text not null,
        hash bytea not null,
        answer bytea not null,
        made_us bigint not null,
        primary key (scope, key)
    )
    """,
    "create index idempotency_keys_by_age on idempotency_keys using brin (made_us)",
    """
    create table customer_keys (
        key_id text primary key,
        nonce bytea,
        wrapped bytea,
        made_us bigint not null,
        destroyed_us bigint,
        check ((wrapped is null) = (destroyed_us is not null))
    )
    """,
    """
    create table deployment_facts (
        name text primary key,
        value text not null,
        recorded_at timestamptz not null default now()
    )
    """,
)
_NAMES: Final = ("deployment_facts", "customer_keys", "idempotency_keys", "relay_lease", "events", "streams")


def create(op: Operations) -> None:
    """streams, events, relay_lease, idempotency_keys, customer_keys, deployment_facts, and the consumers' tables."""
    for statement in _MAKE:
        op.execute(statement)
    consumer_tables.create(op)


def drop(op: Operations) -> None:
    """Undoes `create`."""
    consumer_tables.drop(op)
    for name in _NAMES:
        op.execute(f"drop table {name}")
