"""The `throughline` command: what all subcommands share, and the way out when something goes wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import stamina.instrumentation
import typer
from rich.console import Console

from throughline import (
    command_day,
    command_demo,
    command_import,
    command_look,
    command_operate,
    command_report,
    command_timeline,
)
from throughline.session import Session
from throughline.stack import find
from throughline.trouble import Trouble

EPILOG = """\
Examples:

\b
    throughline status
    throughline import calls.ndjson
    throughline timeline 0199d3c2-7c1e-7000-8000-3f1a2b4c5d6e
    throughline report --from 2026-11-20 --to 2026-11-21 --group-by channel
    throughline requests --state waiting
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


def _url(service: str) -> Any:
    """The option for a service's address."""
    variable = f"THROUGHLINE_{service.upper().replace('-', '_')}"
    return typer.Option(f"--{service}", envvar=variable, help=f"The URL of {service}, where there is no stack file.")


@app.callback()
def shared(
    context: typer.Context,
    stack: Annotated[
        Path | None,
        typer.Option(help="The stack.json of a local stack; else THROUGHLINE_RUN_DIR's, by default .run/stack.json."),
    ] = None,
    intake: Annotated[str | None, _url("intake")] = None,
    router: Annotated[str | None, _url("router")] = None,
    escalation: Annotated[str | None, _url("escalation")] = None,
    audit: Annotated[str | None, _url("audit")] = None,
    kb_search: Annotated[str | None, _url("kb-search")] = None,
) -> None:
    """Contacts in, exact timelines out: a client of a running Throughline. The token comes from THROUGHLINE_TOKEN or
    the stack file.
    """
    overrides = {
        "intake": intake,
        "router": router,
        "escalation": escalation,
        "audit": audit,
        "kb-search": kb_search,
    }
    context.obj = Session(lambda: find(stack, overrides, os.environ, cwd=Path.cwd()), Console())


command_import.register(app)
command_timeline.register(app)
command_report.register(app)
command_look.register(app)
command_operate.register(app)
command_day.register(app)
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
