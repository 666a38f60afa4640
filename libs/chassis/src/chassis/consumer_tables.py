"""The tables of consumers: offsets with their fence and attempts, parked records, and what was handled already."""

from typing import Final

from alembic.operations import Operations

# One statement each, in the order in which they are made.
STATEMENTS: Final = (
    """
    create table consumer_offsets (
        consumer    text   not null,
        topic       text   not null,   -- logical name
        partition   int    not null,
        topic_id    uuid,              -- Kafka's id of the topic that next_offset counts in
        next_offset bigint not null,
        epoch       bigint not null,   -- one more for each claim: the fence
        holder      text   not null,   -- the replica that claimed it last
        appended_us bigint,            -- the broker's append time of the last record whose effects are in
        attempts    int    not null default 0,  -- made at next_offset and counted before they were made
        primary key (consumer, topic, partition)
    ) with (fillfactor = 50)
    """,
    """
    create table parked_records (
        consumer     text     not null,
        topic        text     not null,
        partition    int      not null,
        "offset"     bigint   not null,
        timestamp_us bigint   not null,
        key          bytea    not null,   -- empty for a record without one
        has_key      boolean  not null,
        header_keys  bytea[]  not null,   -- in their order, repeats kept
        header_values bytea[] not null,   -- null members are null header values
        value        bytea,
        reason       text     not null,
        attempts     int      not null,   -- 0: waits only because an earlier record of its key is parked
        parked_us    bigint   not null,
        replay       boolean  not null default false,
        primary key (consumer, topic, partition, "offset")
    )
    """,
    """
    create table handled_events (
        consumer text not null,
        event_id text not null,   -- a relay that died before its cursor moved has published it twice
        handled_us bigint not null,
        primary key (consumer, event_id)
    )
    """,
    "create index handled_events_by_age on handled_events (consumer, handled_us)",
    'create index parked_records_by_key on parked_records (consumer, topic, key, partition, "offset")',
)


def create(op: Operations) -> None:
    """Makes the tables; called by `chassis.tables.create`."""
    for statement in STATEMENTS:
        op.execute(statement)


def drop(op: Operations) -> None:
    """Undoes `create`."""
    for table in ("handled_events", "parked_records", "consumer_offsets"):
        op.execute(f"drop table {table}")
