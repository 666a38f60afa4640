"""What lives at one rate come to, and at which rate a stack stops keeping up: sums alone, no clock and no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.common import nearest_rank

SERVICES = ("intake", "router", "escalation", "audit", "kb-search")
NAMES = {"postgres": "PostgreSQL", "kafka": "Kafka"}
PARTS = (*SERVICES, *NAMES)
GROWS, FULL_CORE, FULL_MACHINE = 0.1, 0.9, 0.95

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Life:
    """One contact: when it was due, seen by a desk, and resolved, in seconds since the load began; None is never."""

    due_s: float
    offered_s: float | None
    resolved_s: float | None


def open_at(lives: Iterable[Life], moment_s: float) -> int:
    """How many had come and were not resolved at a moment."""
    return sum(
        each.due_s <= moment_s and (each.resolved_s is None or each.resolved_s > moment_s)
        for each in lives
    )  # fmt: skip


def growth_per_s(lives: Sequence[Life], load_s: float) -> float:
    """By how many the open ones grew per second in the second half of the load; below 0 they shrank."""
    half = load_s / 2
    return (open_at(lives, load_s) - open_at(lives, half)) / half


def figures(lives: Sequence[Life], load_s: float) -> dict[str, float]:
    """What the desks' side gives, by name: rates per second during the load, and times in ms from the due moment."""
    done = [each.resolved_s for each in lives if each.resolved_s is not None]
    seen = [each.offered_s - each.due_s for each in lives if each.offered_s is not None]
    return {
        "posted_per_s": len(lives) / load_s,
        "lives_per_s": sum(at <= load_s for at in done) / load_s,
        "backlog_grows_per_s": growth_per_s(lives, load_s),
        "unfinished": float(len(lives) - len(done)),
        **percentiles("post_to_desk", [round(each * 1e6) for each in seen]),
    }


def percentiles(name: str, waits_us: Sequence[int]) -> dict[str, float]:
    """`<name>_p50_ms` and `<name>_p99_ms`, by nearest rank. RuntimeError where nothing was measured."""
    if not waits_us:
        raise RuntimeError(f"nothing was measured of {name}")
    ordered = sorted(waits_us)
    return {f"{name}_p{percent}_ms": nearest_rank(ordered, percent) / 1e3 for percent in (50, 99)}


def reading(steps: Mapping[str, Figures], cores: int) -> str:
    """What steps of rising load say together, in sentences: which were kept up with, and what was full at the first
    that was not.
    """
    kept: str | None = None
    for name, step in steps.items():
        if step["backlog_grows_per_s"] > GROWS * step["posted_per_s"]:
            grew = f"At {name} the backlog grew by {step['backlog_grows_per_s']:.0f} a second."
            before = [_before(kept, steps[kept], step)] if kept else []
            return " ".join([_kept(kept) + grew, _full(step, cores), *before, _where(step)])
        kept = name
    return f"{_kept(kept)}It is not known where it stops: no higher rate was tried."


def _kept(name: str | None) -> str:
    return f"It keeps up with {name}. " if name else ""


def _before(name: str, kept: Figures, step: Figures) -> str:
    """How it was at the step before: services that hurry fill a machine long before it is too small for them."""
    return (
        f"At {name} {kept['machine_cores']:.2f} cores were busy: a life cost {_cpu_ms(kept):.0f} ms of CPU there, and "
        f"{_cpu_ms(step):.0f} ms here."
    )


def _cpu_ms(step: Figures) -> float:
    return sum(step[f"{part}_cpu_us"] for part in PARTS) / 1e3


def _where(step: Figures) -> str:
    return (
        f"Half were offered to an agent within {step['received_to_routed_p50_ms']:,.0f} ms of their receipt, and half "
        f"were in audit's timeline within {step['post_to_timeline_p50_ms']:,.0f} ms."
    )


def _full(step: Figures, cores: int) -> str:
    """What had no room left; a service has one core, since its Python runs one thread at a time."""
    by_use = sorted(PARTS, key=lambda part: -step[f"{part}_cores"])
    full = [f"{part} ({step[f'{part}_cores']:.2f})" for part in by_use if _is_full(part, step)]
    machine = step["machine_cores"]
    lines = []
    if full:
        lines.append(f"At the limit of one core: {', '.join(full)}.")
    if machine >= FULL_MACHINE * cores:
        most = ", ".join(f"{NAMES.get(part, part)} {step[f'{part}_cores']:.2f}" for part in by_use[:3])
        lines.append(
            f"The machine was full: {machine:.2f} of {cores} cores were busy, the load itself had "
            f"{step['load_cores']:.2f} of them; the most was used by {most}."
        )
    return " ".join(lines or [f"Neither a service nor the machine was full ({machine:.2f} of {cores} cores)."])


def _is_full(part: str, step: Figures) -> bool:
    return part in SERVICES and step[f"{part}_cores"] >= FULL_CORE
