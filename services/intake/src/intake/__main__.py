"""`python -m intake`: serve, migrate, openapi, replay-parked."""

from __future__ import annotations

from chassis.cli import commands
from intake.settings import IntakeSettings

app = commands(
    "intake",
    settings=IntakeSettings,
    package="intake",
    help="Takes contacts in: is this a new one, a retry, or a continuation?",
)

if __name__ == "__main__":
    app()
