"""Results of benchmarks: as JSON for programs, and as a page of tables for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.rounds import Outcome

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
PARTS = {
    "service": "the service",
    "postgres": "PostgreSQL",
    "kafka": "Kafka",
    "server": "service and PostgreSQL",
    "load": "the load itself",
    "machine": "the whole machine",
}
INTRODUCTION = """\
# Benchmarks

`make bench` measures each path of the product beside the usual practice and writes this page. All variants give the
same guarantees, run in fresh processes, in turn, on the same real Kafka and PostgreSQL (fsync and synchronous commits
on), and each checks that it has done its work. Claims are ratios of medians over the rounds: they say more than rates,
which belong to one machine on one day. A benchmark without claims describes, and stands beside nothing. CPU is user and
system time of the processes under test, children included. `--only NAME` runs one, `--check` ends with 1 where a claim
is not reached. The rounds are in `bench/results`.
"""

Result = Mapping[str, Any]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """All rounds' figures, the medians and the ratios, with the machine that they were taken on."""
    bench = outcome.bench
    claims = [
        {
            "figure": claim.figure,
            "of": claim.of or bench.product.name,
            "against": claim.against,
            "at_least": claim.at_least,
            "reached": round(outcome.ratio(claim), 2),
        }
        for claim in bench.claims
    ]
    medians = {v.name: {f: outcome.median(v.name, f) for f in bench.figures} for v in bench.variants}
    return {
        "bench": bench.name,
        "question": bench.question,
        "unit": bench.unit,
        "guarantees": bench.guarantees,
        "day": outcome.day,
        "machine": {**_machine(), "load_before": round(outcome.load, 1)},
        "variants": {variant.name: variant.says for variant in bench.variants},
        "medians": medians,
        "reading": bench.reading(medians, os.cpu_count() or 1) if bench.reading else "",
        "claims": claims,
        "rounds": outcome.rounds,
    }


def _machine() -> dict[str, Any]:
    """What it is that the benchmarks run on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """As the kernel calls it, where it does."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def write(outcome: Outcome, folder: Path = RESULTS) -> None:
    """Writes `<name>.json`, and the page of all benchmarks anew, in which the others stand as they were."""
    folder.mkdir(exist_ok=True)
    (folder / f"{outcome.bench.name}.json").write_text(json.dumps(as_json(outcome), indent=1) + "\n")
    PAGE.write_text(page(folder))


def page(folder: Path = RESULTS) -> str:
    """What docs/benchmarks.md holds: the claims of all results there are, then each benchmark in full."""
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    claims = ["| benchmark | claim | beside | at least | reached |", "|---|---|---|---|---|"]
    claims += [f"| {result['bench']} {line}" for result in results for line in _claims(result)]
    return "\n".join([INTRODUCTION, *claims, *(f"\n{section(result)}" for result in results)]) + "\n"


def section(result: Result) -> str:
    """One benchmark: the question, the guarantees, and the medians of each variant."""
    says = f"Alike in all: {result['guarantees']}. {_where_and_when(result)}"
    lines = [f"## {result['bench']}: {result['question']}", "", says, ""]
    if result.get("reading"):
        lines += [f"**{result['reading']}**", ""]
    return "\n".join([*lines, *(_beside(result) if result["claims"] else _described(result))])


def _beside(result: Result) -> list[str]:
    """A row for each variant."""
    figures = list(next(iter(result["medians"].values())))
    head = [_counted(result), *(label(figure) for figure in figures)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, says in result["variants"].items():
        cells = [_number(result["medians"][name][figure]) for figure in figures]
        lines.append(f"| **{name}**: {says} | {' | '.join(cells)} |")
    return lines


def _described(result: Result) -> list[str]:
    """A row for each figure: a description has many."""
    medians = result["medians"]
    head = [_counted(result), *(f"**{name}**" for name in medians)]
    rows = [
        f"| {label(figure)} | {' | '.join(_number(each[figure]) for each in medians.values())} |"
        for figure in next(iter(medians.values()))
    ]
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows]


def _counted(result: Result) -> str:
    rounds = len(next(iter(result["rounds"].values())))
    return f"{rounds} round{'s' if rounds > 1 else ''}, one {result['unit']}"


def _where_and_when(result: Result) -> str:
    """The machine and the day, as far as an older result tells them."""
    machine = result["machine"]
    of = f" of {machine['processor']}, {machine['memory_gib']} GiB" if "processor" in machine else ""
    load = f", a load of {machine['load_before']} before it began" if "load_before" in machine else ""
    day = f"{result['day']}: " if result.get("day") else ""
    return f"{day}{machine['cores']} cores{of}, Python {machine['python']}{load}."


def claims(result: Result) -> str:
    """One benchmark's claims with what was reached; nothing where it makes none."""
    if not result["claims"]:
        return ""
    return "\n".join(["| claim | beside | at least | reached |", "|---|---|---|---|", *_claims(result)])


def _claims(result: Result) -> list[str]:
    return [
        f"| {each['of']}: {label(each['figure'])} | {each['against']} | {each['at_least']:g} times | {_said(each)} |"
        for each in result["claims"]
    ]


def _said(claim: Mapping[str, Any]) -> str:
    if claim["reached"] >= claim["at_least"]:
        return f"**{claim['reached']:.1f} times**"
    return f"{claim['reached']:.1f} times, short of it"


def label(figure: str) -> str:
    """A figure's heading, by the pattern of its name."""
    if figure == "per_s":
        return "per second"
    if figure.endswith("_per_cpu_s"):
        return f"per CPU second of {_part(figure.removesuffix('_per_cpu_s'))}"
    if figure.endswith("_cpu_us"):
        return f"CPU µs of {_part(figure.removesuffix('_cpu_us'))} each"
    if figure.endswith("_cores"):
        return f"cores of {_part(figure.removesuffix('_cores'))} under the load"
    if figure.endswith("_pss_mib"):
        return f"MiB of {_part(figure.removesuffix('_pss_mib'))} (PSS)"
    return figure.replace("_per_s", " per second").replace("_", " ")


def _part(name: str) -> str:
    return PARTS.get(name, name)


def _number(value: float) -> str:
    """Three or four digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
