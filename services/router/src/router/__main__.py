"""`python -m router`: serve, migrate, openapi, replay-parked."""

from chassis.cli import commands
from router.settings import RouterSettings

app = commands(
    "router",
    settings=RouterSettings,
    package="router",
    help="Brings each request to the right agent: who is offered it, who holds it, and when.",
)

if __name__ == "__main__":
    app()
