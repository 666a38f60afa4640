"""Results of benchmarks as a table for people (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bench.common import Claim
from bench.rounds import Outcome

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is headed and written."""

    label: str
    digits: int


def figure_of(name: str) -> Figure:
    """The heading of a figure by the pattern of its name."""
    if name == "per_s":
        return Figure("per second", 0)
    if name.endswith("_per_cpu_s"):
        return Figure(f"per CPU second of {_part(name, '_per_cpu_s')}", 0)
    if name.endswith("_cpu_us"):
        return Figure(f"CPU µs of {_part(name, '_cpu_us')} each", 1)
    return Figure(name.replace("_", " "), 2)


def _part(name: str, ending: str) -> str:
    return {"service": "the service", "postgres": "PostgreSQL", "kafka": "Kafka"}.get(
        name.removesuffix(ending), name.removesuffix(ending)
    )


def markdown(outcome: Outcome) -> str:
    """One benchmark: the question, the medians of each variant, and each claim with what was reached."""
    bench = outcome.bench
    lines = [f"## {bench.name}: {bench.question}", "", f"Every variant alike: {bench.guarantees}.", ""]
    lines += _medians(outcome)
    lines += ["", "| claim | beside | at least | reached |", "|---|---|---|---|"]
    lines += [_claim(outcome, claim) for claim in bench.claims]
    return "\n".join(lines) + "\n"


def _medians(outcome: Outcome) -> list[str]:
    bench = outcome.bench
    rounds = len(outcome.rounds[bench.product.name])
    head = [f"variant (median of {rounds} rounds, one {bench.unit})", *(figure_of(f).label for f in bench.figures)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for variant in bench.variants:
        cells = [f"{outcome.median(variant.name, f):,.{figure_of(f).digits}f}" for f in bench.figures]
        lines.append(f"| **{variant.name}**: {variant.says} | {' | '.join(cells)} |")
    return lines


def _claim(outcome: Outcome, claim: Claim) -> str:
    reached = outcome.ratio(claim)
    said = f"**{reached:.1f} times**" if reached >= claim.at_least else f"{reached:.1f} times (short of it)"
    whose = claim.of or outcome.bench.product.name
    return f"| {whose}: {figure_of(claim.figure).label} | {claim.against} | {claim.at_least:g} times | {said} |"


def as_json(outcome: Outcome) -> dict[str, object]:
    """All rounds' figures, the medians and the ratios, with the machine that they were taken on."""
    bench = outcome.bench
    return {
        "bench": bench.name,
        "question": bench.question,
        "unit": bench.unit,
        "guarantees": bench.guarantees,
        "machine": machine(),
        "rounds": outcome.rounds,
        "medians": {v.name: {f: outcome.median(v.name, f) for f in bench.figures} for v in bench.variants},
        "claims": [
            {
                "figure": claim.figure,
                "of": claim.of or bench.product.name,
                "against": claim.against,
                "at_least": claim.at_least,
                "reached": round(outcome.ratio(claim), 2),
            }
            for claim in bench.claims
        ],
    }


def machine() -> dict[str, object]:
    """What the figures depend on besides the code."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def write(outcome: Outcome, folder: Path = RESULTS) -> None:
    """Writes `<name>.json` and `<name>.md`, replacing those of an earlier run."""
    folder.mkdir(exist_ok=True)
    name = outcome.bench.name
    (folder / f"{name}.json").write_text(json.dumps(as_json(outcome), indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown(outcome))
