"""The chassis's tables, the raw records under their place in the log, and the summary row per request."""

from typing import Final

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A rebuild makes this schema anew beside the live one and then swaps the two by name: see audit.rebuild.
SCHEMA: Final = "create schema projection"

# Distributable by request_id (Citus): it is in every unique key. A record of no request has the empty one.
RECORDS: Final = (
    """
    create table projection.records (
        known_us    bigint not null,  -- µs: running maximum of the append times in its partition of the log
        appended_us bigint not null,  -- µs: the broker's append time
        "offset"    bigint not null,
        occurred_us bigint,           -- µs: as the event states it
        sequence    bigint,
        partition   int not null,
        version     smallint,         -- of the type
        duplicate   boolean not null, -- its event stood in the log before
        event_id    uuid,             -- null: not readable
        topic       text collate "C" not null,
        request_id  text collate "C" not null,
        type        text collate "C",
        source      text collate "C",
        causation_id text collate "C",
        unreadable  text,             -- why
        key         bytea,
        headers     bytea not null,   -- audit.domain.headers
        value       bytea
    ) partition by range (known_us)
    """,
    # What the headers say stands in columns too: a timeline is folded from them without taking headers apart.
    # What is sealed does not compress, so do not try.
    "alter table projection.records alter column value set storage external, alter column headers set storage external",
    """
    create unique index records_place on projection.records (topic, partition, "offset", known_us, request_id)
    """,
    "create index records_request on projection.records (request_id)",
    # Of the small topics alone: a request's duplicates are found among its own events.
    "create index records_event on projection.records (event_id) where request_id = '' and event_id is not null",
    "create index records_occurred on projection.records using brin (occurred_us)",
)

REQUESTS: Final = (
    """
    create table projection.requests (
        request_id      text collate "C" primary key,
        projection      int not null,
        customer_id     text collate "C",
        channel         text collate "C",
        support_level   text collate "C" not null,
        severity        bigint not null,
        state           text collate "C",
        queue           text collate "C",   -- of the last leg
        tier            bigint,
        agent_id        text collate "C",
        report_queue    text collate "C",   -- of the leg that reports count
        report_tier     bigint,
        report_agent_id text collate "C",
        received_us     bigint,
        routed_us       bigint,
        connected_us    bigint,
        resolved_us     bigint,
        residual_us     bigint not null,
        first_known_us  bigint not null,
        last_known_us   bigint not null,
        earliest_us     bigint not null,
        latest_us       bigint not null,
        events          bigint not null,
        metrics         bigint[] not null   -- in the registry's order
    ) with (fillfactor = 85)
    """,
    "create index requests_received on projection.requests ((coalesce(received_us, -1)) desc, request_id desc)",
    "create index requests_connected on projection.requests (connected_us) where connected_us is not null",
    "create index requests_resolved on projection.requests (resolved_us) where resolved_us is not null",
    # A foreign customer id may be longer than an index entry may be.
    'create index requests_customer on projection.requests ((left(customer_id, 100) collate "C"))',
    "create index requests_residual on projection.requests (abs(residual_us)) where residual_us <> 0",
)


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # the module `op` has the methods of Operations
    for statement in (SCHEMA, *RECORDS, *REQUESTS):
        op.execute(statement)


def downgrade() -> None:
    """Unmakes it."""
    op.execute("drop schema projection cascade")
    tables.drop(op)  # type: ignore[arg-type]  # as above
