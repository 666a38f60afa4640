"""Intake's first schema: the chassis's tables, and what intake knows of requests, threads, identities and imports."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An identifier and a thread stand as UUIDs derived from them: of one size, and no address is kept in the clear.
MAKE = (
    "create table requests (request_id uuid primary key, customer_id text not null)",
    "create table threads (thread uuid primary key, request_id uuid not null)",
    "create table identities (identifier uuid primary key, customer_id text not null)",
    "create table imported (event_id uuid primary key, content uuid not null)",
    # An import must not use the id of a live event. Live ids come in order, so this index grows at its end alone.
    "create index events_stated on events (event_id) where source <> '/imports'",
)


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # Alembic's module `op` has the methods of Operations
    for statement in MAKE:
        op.execute(statement)


def downgrade() -> None:
    """Undoes it, with all that was kept."""
    for table in ("imported", "identities", "threads", "requests"):
        op.execute(f"drop table {table}")
    tables.drop(op)  # type: ignore[arg-type]  # as above
