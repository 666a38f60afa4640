"""What audit is told by its environment."""

from pydantic import Field

from chassis.settings import ServiceSettings


class AuditSettings(ServiceSettings):
    """The shared variables and audit's own."""

    gather_ms: int = Field(10, validation_alias="THROUGHLINE_GATHER_MS", ge=0, le=5_000)
    """So long an event may take longer to be seen while many come, and no longer than a commit takes."""

    cached_events: int = Field(100_000, validation_alias="THROUGHLINE_AUDIT_CACHED_EVENTS", ge=0)
    """How many events of the requests touched last are kept in memory, about 1 KB each."""

    batch_records: int = Field(3_000, validation_alias="THROUGHLINE_AUDIT_BATCH_RECORDS", ge=1, le=5_000)
    """The most records of one transaction: at 3,000 it stays below 100 ms."""
