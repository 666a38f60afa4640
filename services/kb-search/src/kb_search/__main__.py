"""`python -m kb_search`: serve, migrate, openapi, replay-parked."""

from chassis.cli import commands
from kb_search.settings import KbSearchSettings

app = commands(
    "kb-search",
    settings=KbSearchSettings,
    package="kb_search",
    help="Finds the articles that help with a request.",
)

if __name__ == "__main__":
    app()
