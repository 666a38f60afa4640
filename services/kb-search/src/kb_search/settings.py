"""What kb-search is told by its environment."""

from pydantic import Field

from chassis.settings import ServiceSettings


class KbSearchSettings(ServiceSettings):
    """The shared variables and kb-search's own."""

    gather_ms: int = Field(50, validation_alias="THROUGHLINE_GATHER_MS", ge=0, le=5_000)
    """Suggestions are there before anybody has begun to read the contact."""
