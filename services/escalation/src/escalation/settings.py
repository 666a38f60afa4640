"""What escalation is told by its environment."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ServiceSettings


class EscalationSettings(ServiceSettings):
    """The shared variables and escalation's own."""

    gather_ms: int = Field(50, validation_alias="THROUGHLINE_GATHER_MS", ge=0, le=5_000)
    """Nobody waits for what is folded here: a verdict is held back for longer anyway."""

    settle_ms: int = Field(250, validation_alias="THROUGHLINE_ESCALATION_SETTLE_MS", ge=0, le=60_000)
    """How long after its moment a verdict is held back at least: an event may be on its way into the log."""

    batch_records: int = Field(500, validation_alias="THROUGHLINE_ESCALATION_BATCH_RECORDS", ge=1, le=5_000)
    """The most records of one transaction."""
