"""What escalation is told by its environment."""

from chassis.settings import ServiceSettings


class EscalationSettings(ServiceSettings):
    """The shared variables and escalation's own."""
