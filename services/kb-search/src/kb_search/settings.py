"""What kb-search is told by its environment."""

from chassis.settings import ServiceSettings


class KbSearchSettings(ServiceSettings):
    """The shared variables and kb-search's own."""
