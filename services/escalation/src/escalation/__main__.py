"""`python -m escalation`: serve, migrate, openapi, replay-parked."""

from chassis.cli import commands
from escalation.settings import EscalationSettings

app = commands(
    "escalation",
    settings=EscalationSettings,
    package="escalation",
    help="Watches promises, and decides when a higher tier must help.",
)

if __name__ == "__main__":
    app()
