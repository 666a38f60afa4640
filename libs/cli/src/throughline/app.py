"""The `throughline` command: what all subcommands share, and the way out when something goes wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import stamina.instrumentation
import typer
from rich.console import Console

from throughline import command_demo, command_import, command_operate, command_report, command_timeline
from throughline.session import Session
from throughline.stack import find
from throughline.trouble import Trouble

EPILOG = """\
Examples:

    throughline status
    throughline import calls.ndjson
    throughline timeline 0199d3c2-7c1e-7000-8000-3f1a2b4c5d6e
    throughline report --from 2026-11-20 --to 2026-11-21 --group-by channel
    throughline --stack other/stack.json timeline call-17
"""

app = typer.Typer(
    name="throughline",
    help="Contacts in, exact timelines out: a client of a running Throughline.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def shared(
    context: typer.Context,
    stack: Annotated[
        Path | None,
        typer.Option(help="The stack.json of a local stack; else THROUGHLINE_RUN_DIR's, by default .run/stack.json."),
    ] = None,
    intake: Annotated[
        str | None, typer.Option(envvar="THROUGHLINE_INTAKE", help="Intake's URL, where there is no stack file.")
    ] = None,
    audit: Annotated[
        str | None, typer.Option(envvar="THROUGHLINE_AUDIT", help="Audit's URL, where there is no stack file.")
    ] = None,
) -> None:
    """Contacts in, exact timelines out: a client of a running Throughline. The token comes from THROUGHLINE_TOKEN or
    the stack file.
    """
    overrides = {"intake": intake, "audit": audit}
    context.obj = Session(lambda: find(stack, overrides, os.environ, cwd=Path.cwd()), Console())


command_import.register(app)
command_timeline.register(app)
command_report.register(app)
command_operate.register(app)
command_demo.register(app)


def main() -> None:
    """Runs the command; Trouble becomes a sentence on stderr and its exit code, Ctrl-C 130."""
    stamina.instrumentation.set_on_retry_hooks([])  # a busy service is no news; the progress bar just waits
    try:
        app(prog_name="throughline")
    except Trouble as trouble:
        stderr = Console(stderr=True)
        stderr.print(f"throughline: {trouble}", style="bold red", highlight=False, markup=False)
        if trouble.remedy:
            stderr.print(trouble.remedy, highlight=False, markup=False)
        sys.exit(trouble.exit_code)
