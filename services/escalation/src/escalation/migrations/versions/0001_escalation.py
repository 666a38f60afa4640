"""Escalation's first schema: the chassis's tables."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # Alembic's module `op` has the methods of Operations


def downgrade() -> None:
    """Undoes it, with all that was kept."""
    tables.drop(op)  # type: ignore[arg-type]  # as above
