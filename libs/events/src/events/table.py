"""The table of all events for the docs, made from the catalogue."""

from typing import Final

from events.catalogue import CATALOGUE
from events.personal import Plan, plan_of

BEGIN: Final = "<!-- events: made by `python -m events write` -->"
END: Final = "<!-- end of events -->"


def table() -> str:
    """A Markdown table, a row per type."""
    head = [
        "| type | version | topic | key | stated by | what it says | personal members |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [
        f"| {kind.name} | {kind.version} | `{kind.topic}` | {kind.key} | {kind.owner} "
        f"| {(kind.model.__doc__ or '').split(chr(10))[0]} | {', '.join(_paths(plan_of(kind.model)))} |"
        for kind in CATALOGUE.values()
    ]
    return "\n".join([*head, *rows])


def redrawn(page: str) -> str:
    """The page with the table between its two marks made anew; ValueError where it lacks them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _paths(plan: Plan, above: str = "") -> list[str]:
    found: list[str] = []
    for name, part in plan.items():
        found += [f"`{above}{name}`"] if part is None else _paths(part, f"{above}{name}.")
    return found
