"""`python -m audit`: serve, migrate, openapi, replay-parked, rebuild."""

from typing import Annotated

import typer

from audit.settings import AuditSettings
from chassis.cli import commands, refusing, settings_of

app = commands(
    "audit",
    settings=AuditSettings,
    package="audit",
    help="Keeps the log byte for byte, and answers exactly from it.",
)


@app.command("rebuild")
def _rebuild(
    from_records: Annotated[
        bool, typer.Option("--from-records", help="Read the kept raw records instead of Kafka.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes that share the work; else one a core, or one a partition."),
    ] = None,
) -> None:
    """Make all that is derived from the log anew, from its first record on, and let it take the present one's place.

    The service may go on meanwhile. Killed at any moment, the next run goes on where this one was.
    """
    from audit.rebuild.command import rebuild

    settings = settings_of(AuditSettings)

    def run() -> None:
        taken = rebuild(settings, from_records=from_records, workers=workers)
        typer.echo(f"{taken} records; the new projection is live")

    refusing(run)


if __name__ == "__main__":
    app()
