"""`throughline status`, `rebuild` and `replay-parked`: keeping a stack in order."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from throughline.client import Client
from throughline.gauges import values
from throughline.local_service import run_beside
from throughline.session import Session, session_of

EPILOG_STATUS = """\
Exit codes: 0 all services are ready; 1 one is not, or does not answer.

Examples:

\b
    throughline status
    throughline --stack other/stack.json status
"""
EPILOG_REBUILD = """\
The rebuild reads the log from its first record, makes everything that audit derives from it anew beside the live one,
and then swaps them; audit goes on answering. It runs on this machine with the settings of the running service, or those
in the environment. Interrupted, the next one goes on where it was.

Examples:

\b
    throughline rebuild
    throughline rebuild --from-records
"""
EPILOG_REPLAY = """\
A record that a service could not take is parked with its bytes and the reason; later ones of its key wait behind it.
Once the reason is gone, this marks them; the process that owns the partition replays them in order.

Examples:

\b
    throughline replay-parked intake --key c-42
    throughline replay-parked intake
"""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("status", epilog=EPILOG_STATUS)(status)
    app.command("rebuild", epilog=EPILOG_REBUILD)(rebuild)
    app.command("replay-parked", epilog=EPILOG_REPLAY)(replay_parked)


def status(context: typer.Context) -> None:
    """Says whether each service is ready, and what waits."""
    session = session_of(context)
    table = Table(box=None, pad_edge=False)
    for heading in ("service", "status", "unpublished", "unread", "parked", "what is wrong"):
        table.add_column(heading, overflow="fold")
    all_ready = True
    for service in session.stack.services:
        ready, cells = _standing(session.client, service)
        all_ready &= ready
        table.add_row(service, *cells)
    session.console.print(table)
    raise typer.Exit(0 if all_ready else 1)


def _standing(client: Client, service: str) -> tuple[bool, list[str]]:
    """Whether a service is ready, and its row of the table."""
    answer = client.probe(service, "/readyz")
    if answer is None:
        return False, ["[red]no answer[/red]", "", "", "", f"{client.stack.url(service)}: `make up` starts it"]
    body = _json(answer)
    metrics = client.probe(service, "/metrics")
    text = metrics.text if metrics is not None and metrics.is_success else ""
    word = str(body.get("status", answer.status_code))
    colour = "green" if word == "ready" else "yellow" if answer.is_success else "red"
    counts = [_sum(text, f"throughline_{name}") for name in ("outbox_rows", "consumer_lag_records", "parked_records")]
    return answer.is_success, [f"[{colour}]{word}[/{colour}]", *counts, _wrong(body)]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _sum(text: str, name: str) -> str:
    found = values(text, name)
    return f"{sum(found):,.0f}" if found else "-"


def _wrong(body: dict[str, Any]) -> str:
    """The checks that are not ok, with what they say."""
    checks = {name: check for name, check in (body.get("checks") or {}).items() if isinstance(check, dict)}
    return "\n".join(
        f"{name}: {check.get('detail') or check['status']}"
        for name, check in checks.items()
        if check.get("status") not in ("ok", None)
    )


def rebuild(
    context: typer.Context,
    from_records: Annotated[
        bool, typer.Option("--from-records", help="Read the records that audit keeps instead of Kafka.")
    ] = False,
) -> None:
    """Makes all that audit derives from the log anew."""
    _exit(session_of(context), "audit", ["rebuild", *(["--from-records"] if from_records else [])])


def replay_parked(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Whose parked records, e.g. intake.")],
    key: Annotated[str | None, typer.Option(help="Only those of this key, e.g. a request id; else all.")] = None,
) -> None:
    """Marks parked records of a service for a replay."""
    _exit(session_of(context), service, ["replay-parked", *(["--key", key] if key else [])])


def _exit(session: Session, service: str, arguments: list[str]) -> None:
    """Ends with the exit code of the service's own command, whose output goes straight to the terminal."""
    raise typer.Exit(run_beside(session.stack, service, arguments))
