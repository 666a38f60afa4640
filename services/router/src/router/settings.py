"""What router is told by its environment."""

from chassis.settings import ServiceSettings


class RouterSettings(ServiceSettings):
    """The shared variables and router's own."""
