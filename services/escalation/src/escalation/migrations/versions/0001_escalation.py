"""Escalation's first schema: the chassis's tables, the requests with their clocks, broken promises, and the rules."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MAKE = (
    # The fold of the log, a row a request. Clocks stand in it: none has a row of its own, and none is written for the
    # passing of time alone.
    """
    create table requests (
        request_id text primary key,
        partition integer not null,
        customer_id text not null,
        channel text not null,
        support_level text not null,
        severity smallint not null,
        priority smallint not null,
        state text not null,
        leg integer not null,
        cycle integer not null,
        queue text not null,
        tier integer not null,
        agent_id text,
        reason text,
        received_us bigint not null,
        last_us bigint not null,
        version integer not null,   -- escalation's own events on it
        clocks jsonb not null,
        pending jsonb,
        next_us bigint              -- after this moment a clock has something to state, if nothing happens before
    ) with (fillfactor = 70)
    """,
    "create index requests_by_partition on requests (partition) where next_us is not null",
    """
    create table breaches (
        request_id text not null,
        promise text not null,
        cycle integer not null,
        event_id uuid not null,
        due_us bigint not null,
        detected_us bigint not null,
        fact jsonb not null,
        corrected_us bigint,        -- when an event that came late overturned it
        primary key (request_id, promise, cycle)
    )
    """,
    "create index breaches_by_due on breaches (due_us, request_id, promise, cycle)",
    # `n` is given out under a lock, so that who has read up to some n has missed none below it.
    """
    create table rules (
        n integer primary key,
        kind text not null check (kind in ('sla', 'calendar')),
        name text not null,
        version integer not null,
        from_us bigint not null,
        content jsonb not null,
        unique (kind, name, version)
    )
    """,
)


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # Alembic's module `op` has the methods of Operations
    for statement in MAKE:
        op.execute(statement)


def downgrade() -> None:
    """Undoes it, with all that was kept."""
    for table in ("rules", "breaches", "requests"):
        op.execute(f"drop table {table}")
    tables.drop(op)  # type: ignore[arg-type]  # as above
