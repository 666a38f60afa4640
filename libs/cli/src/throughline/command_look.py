"""`throughline requests`, `queues`, `agents`, `breaches` and `search`: what goes on, a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from throughline.command_timeline import point
from throughline.drawing import COLOURS
from throughline.session import Session, as_json, session_of
from throughline.spans import rounded

Item = Mapping[str, Any]
Cells = Callable[[Item], Iterable[Any]]

MOST = 1_000

Limit = Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")]
Json = Annotated[bool, typer.Option("--json", help="The service's answer as it is.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (requests, queues, agents, breaches, search):
        app.command(command.__name__, epilog=f"Examples:\n\n\b\n{EXAMPLES[command.__name__]}")(command)


EXAMPLES = {
    "requests": "    throughline requests --state waiting\n    throughline requests --agent hana --limit 5 --json",
    "queues": "    throughline queues\n    throughline queues --all",
    "agents": "    throughline agents\n    throughline agents --all",
    "breaches": "    throughline breaches --from 2026-11-20 --to 2026-11-21",
    "search": "    throughline search card abroad\n    throughline search code --product ios",
}


def requests(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only those that are waiting, offered, connected, …")] = None,
    channel: Annotated[str | None, typer.Option(help="Only those of this channel.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only those of this agent.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only those of this customer.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Lists requests, the newest first, by what audit knows."""
    query = {"state": state, "channel": channel, "agent_id": agent, "customer_id": customer, "limit": limit}
    found = session_of(context).client.get("audit", "/v1/requests", **query)
    headings = ("request\nreceived", "state\nchannel", "queue\nagent", "tier")
    _show(session_of(context), found, headings, _request, json=json)


def queues(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those too where nobody waits and nobody is free.")] = False,
    json: Json = False,
) -> None:
    """Shows how many wait where, and for how long."""
    items = session_of(context).client.items("router", "/v1/queues", limit=MOST)
    shown = [each for each in items if everything or each["waiting"] or each["agents_free"]]
    headings = ("queue", "tier", "channel", "waiting", "longest wait", "agents free")
    _show(session_of(context), {"items": shown}, headings, _queue, json=json)


def agents(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those who are offline and hold nothing, too.")] = False,
    json: Json = False,
) -> None:
    """Shows who is there, and what each holds of what he may."""
    items = session_of(context).client.items("router", "/v1/agents", limit=MOST)
    shown = [each for each in items if everything or each["presence"] != "offline" or each["assignments"]]
    headings = ("agent", "tier", "presence", "queues", "holds")
    _show(session_of(context), {"items": shown}, headings, _agent, json=json)


def breaches(
    context: typer.Context,
    from_: Annotated[str | None, typer.Option("--from", help="Due from then on: a date or an RFC 3339 time.")] = None,
    to: Annotated[str | None, typer.Option(help="Due before then.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Lists broken promises, the latest due first."""
    span = {"from": point(from_) if from_ else None, "to": point(to) if to else None}
    found = session_of(context).client.get("escalation", "/v1/breaches", **span, limit=limit)
    headings = ("request\ndue", "promise\nqueue", "within", "tier")
    _show(session_of(context), found, headings, _breach, json=json)


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What is looked for.")],
    product: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    language: Annotated[str | None, typer.Option(help="As articles name it, e.g. en.")] = None,
    limit: Limit = 5,
    json: Json = False,
) -> None:
    """Searches the articles, the best first."""
    query = {"q": " ".join(words), "product": product, "language": language, "limit": limit}
    found = session_of(context).client.get("kb-search", "/v1/search", **query)
    _show(session_of(context), found, ("article", "title", "says"), _article, json=json)


def _show(session: Session, found: Mapping[str, Any], headings: Iterable[str], cells: Cells, *, json: bool) -> None:
    if json:
        session.hand_out(as_json(found))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=place == 0)
    for item in found["items"]:
        table.add_row(*("-" if cell is None else cell if isinstance(cell, Text) else str(cell) for cell in cells(item)))
    session.console.print(table if found["items"] else "none")
    if found.get("next_cursor"):
        session.say("there may be more: --limit")


def _request(item: Item) -> Iterable[Any]:
    state = Text.assemble((str(item["state"]), COLOURS.get(str(item["state"]), "")), f"\n{item['channel']}")
    yield f"{item['request_id']}\n{_second(item['received_at'])}"
    yield state
    yield f"{item['queue']}\n{item['agent_id'] or '-'}"
    yield item["tier"]


def _queue(item: Item) -> Iterable[Any]:
    wait = rounded(item["oldest_wait_us"])
    return item["queue"], item["tier"], item["channel"], item["waiting"], wait, item["agents_free"]


def _agent(item: Item) -> Iterable[Any]:
    load = {name: f"{count}/{item['channels'].get(name, 0)} {name}" for name, count in item["load"].items() if count}
    return item["agent_id"], item["tier"], item["presence"], ", ".join(item["queues"]), ", ".join(load.values()) or None


def _breach(item: Item) -> Iterable[Any]:
    yield f"{item['request_id']}\n{_second(item['due_at'])}"
    yield f"{item['promise']}\n{item['queue'] or '-'}"
    yield rounded(item["target_us"])
    yield item["tier"]


def _second(at: str) -> str:
    """A time to the second, in UTC."""
    return at[:19].replace("T", " ")


def _article(item: Item) -> Iterable[Any]:
    return item["article_id"], item["title"], item["snippet"]
