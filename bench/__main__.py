"""`python -m bench`: runs the benchmarks and writes bench/results."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

import bench
from bench.common import Bench, Ground, Sample
from bench.rounds import run
from bench.servers import ground
from bench.tables import as_json, claims, label, section, write

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


def benches() -> dict[str, Bench]:
    """Every `BENCH` of a module of this package, by its name."""
    modules = [importlib.import_module(f"bench.{module.name}") for module in pkgutil.iter_modules(bench.__path__)]
    found = [module.BENCH for module in modules if hasattr(module, "BENCH")]
    return {each.name: each for each in found}


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Names with commas between; all where left out.")] = "",
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of each variant; else the bench's own.")] = None,
    scale: Annotated[float, typer.Option(min=0.001, help="Share of the work; results are written at 1 alone.")] = 1.0,
    check: Annotated[bool, typer.Option(help="Exit 1 where a claim is not reached.")] = False,
) -> None:
    """Runs the product beside the usual practice, with the same guarantees, in interleaved rounds.

    Example: `python -m bench --only relay,intake`
    """
    chosen = _chosen(benches(), [name for name in only.split(",") if name])
    console = Console()
    short = False
    with ground() as found:
        for each in chosen:
            short |= _run(each, replace(found, scale=scale), rounds, console)
    raise typer.Exit(1 if check and short else 0)


def _chosen(known: dict[str, Bench], names: list[str]) -> list[Bench]:
    if unknown := set(names) - set(known):
        raise typer.BadParameter(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return [known[name] for name in names or sorted(known)]


def _run(each: Bench, found: Ground, rounds: int | None, console: Console) -> bool:
    """Runs one bench, prints and writes it; true where a claim is not reached."""

    def told(variant: str, number: int, sample: Sample) -> None:
        figures = sample.figures()
        shown = ", ".join(f"{label(figure)} {figures[figure]:,.1f}" for figure in each.figures)
        console.print(f"  round {number} {variant}: {shown}", highlight=False)

    console.print(f"[bold]{each.name}[/bold]")
    outcome = run(each, found, told, rounds)
    result = as_json(outcome)
    console.print(Markdown(f"{section(result)}\n\n{claims(result)}"))
    if found.scale == 1:
        write(outcome)
    return any(outcome.ratio(claim) < claim.at_least for claim in each.claims)


if __name__ == "__main__":
    app()
