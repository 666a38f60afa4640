"""The stack's command line: up, down, clean, status, logs, run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Annotated

import typer

from local_stack.deadline import Deadline
from local_stack.errors import Failed
from local_stack.layout import Layout, layout_of
from local_stack.progress import Progress, table
from local_stack.stack import UP_S, Stack

app = typer.Typer(
    help="A real Kafka, a real PostgreSQL and the services on this machine, under one run folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up() -> None:
    """Start what does not run, replace what does not answer, and wait until every service is ready.

    Example: THROUGHLINE_RUN_DIR=.run-b THROUGHLINE_PORT_BASE=9000 make up   (a second stack beside the first)
    """
    with _plainly():
        _up(_stack())


@app.command()
def down() -> None:
    """Stop every process of the stack. Data, ports and token are kept."""
    with _plainly(), Progress() as progress:
        progress.close("stopped" if _stack().down(progress.say) else "nothing runs")


@app.command()
def clean() -> None:
    """Stop the stack and remove its run folder: data, logs and secrets."""
    with _plainly(), Progress() as progress:
        stack = _stack()
        stack.clean(progress.say)
        progress.close(f"removed {stack.layout.run}")


@app.command()
def status() -> None:
    """Show what each part is at; ends with 1 where not all of them are well."""
    with _plainly():
        conditions = _stack().conditions()
        table(conditions)
        if not conditions or any(each.state not in ("answers", "ready") for each in conditions):
            raise typer.Exit(1)


@app.command()
def logs(
    part: Annotated[str, typer.Argument(help="One part, for instance intake; all of them if left out.")] = "*",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines of each.")] = 20,
) -> None:
    """Show the ends of the logs under the run folder."""
    with _plainly():
        layout = _layout()
        files = sorted(layout.logs.glob(f"{part}.log"))
        if not files:
            raise Failed(f"there is no log of {part} under {layout.logs}; `make up` starts one")
        os.execvp("tail", ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)])


@app.command()
def run() -> None:
    """Start the stack, play the demo, keep running until Ctrl-C, then stop the stack."""
    # SIGINT too: who starts this in the background of a script has it ignored, and means it when he sends it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stack = _stack()
    try:
        with _plainly():
            _up(stack)
            _play(stack.layout)
            typer.echo("\nThe stack keeps running; Ctrl-C stops it.")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        typer.echo("\nStopping …")
    finally:
        # A second Ctrl-C must not leave half of it behind: this takes seconds.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with _plainly():
            stack.down(lambda _name, _at: None)


def _up(stack: Stack) -> None:
    began = time.monotonic()
    with Progress() as progress:
        stack.up(Deadline(UP_S), progress.say)
        progress.close(f"ready after {time.monotonic() - began:.1f} s; {stack.layout.stack_file} says where")


def _play(layout: Layout) -> None:
    command = [sys.executable, "-m", "throughline", "demo"]
    done = subprocess.run(command, env={**os.environ, "THROUGHLINE_RUN_DIR": str(layout.run)}, check=False)
    if done.returncode != 0:
        raise Failed(f"the demo ended with {done.returncode}; what it said stands above")


def _stack() -> Stack:
    return Stack(_layout(), os.environ)


def _layout() -> Layout:
    return layout_of(os.environ)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Says an expected problem in one sentence instead of a traceback."""
    try:
        yield
    except (Failed, ValueError) as problem:
        typer.secho(str(problem), fg="red", err=True)
        raise typer.Exit(1) from None
    except PermissionError as problem:
        typer.secho(f"{problem}; the stack's files belong to somebody else", fg="red", err=True)
        raise typer.Exit(1) from None
