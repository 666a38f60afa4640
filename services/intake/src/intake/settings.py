"""What intake is told by its environment."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """The shared variables and intake's own."""

    patience_ms: int = Field(1_000, validation_alias="THROUGHLINE_INTAKE_PATIENCE_MS", ge=10, le=60_000)
    """How long the oldest contact may wait for its commit before new ones are refused with 429."""

    import_connections: int = Field(2, validation_alias="THROUGHLINE_IMPORT_CONNECTIONS", ge=1, le=16)
    """How many imports are written at once, each on a connection of its own."""

    import_patience_ms: int = Field(15_000, validation_alias="THROUGHLINE_IMPORT_PATIENCE_MS", ge=10, le=60_000)
    """How long an import waits for such a connection before it is refused with 429."""

    audit_url: str = Field("", validation_alias="THROUGHLINE_AUDIT_URL", pattern=r"^(https?://[^/]+)?$")
    """Where audit is reached from outside, for `Location`; without it the path alone is given."""
