"""Runs a benchmark's variants in interleaved rounds, each in a fresh process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import uvloop

from bench.common import Bench, Claim, Ground, Run, Sample, Variant, median, ratio


@dataclass(frozen=True, slots=True)
class Outcome:
    """All rounds of one benchmark: by variant name, the figures of each round in order.

    `load` is the machine's load average of the minute before: latencies on a busy machine are its queues, not ours.
    `day` is the date in UTC on which it began.
    """

    bench: Bench
    rounds: dict[str, list[dict[str, float]]]
    load: float = 0.0
    day: str = ""

    def median(self, variant: str, figure: str) -> float:
        """The median of a figure over the rounds of a variant."""
        return median([figures[figure] for figures in self.rounds[variant]])

    def ratio(self, claim: Claim) -> float:
        """How many times better the product's median is than the other's."""
        product = self.median(claim.of or self.bench.product.name, claim.figure)
        return ratio(claim.figure, product, self.median(claim.against, claim.figure))


def run(bench: Bench, ground: Ground, told: Callable[[str, int, Sample], None], rounds: int | None = None) -> Outcome:
    """Every variant once a round, in an order that turns with the round, so that drift hits all alike.

    `told(variant name, round, sample)` hears of each sample as it is taken. Errors of a variant are raised as they are.
    """
    load, day = os.getloadavg()[0], datetime.now(UTC).date().isoformat()
    taken: dict[str, list[dict[str, float]]] = {variant.name: [] for variant in bench.variants}
    for number in range(rounds or bench.rounds):
        for variant in _turned(bench.variants, number):
            sample = _in_a_process(variant.run, replace(ground, topic_prefix=_prefix(ground, variant, number)))
            told(variant.name, number + 1, sample)
            taken[variant.name].append(sample.figures())
    return Outcome(bench, taken, load, day)


def _prefix(ground: Ground, variant: Variant, number: int) -> str:
    """Of topics that no other round has; Kafka allows neither blanks nor slashes in their names."""
    return f"{ground.topic_prefix}{re.sub('[^a-z0-9]+', '-', variant.name)}.{number}."


def _turned(variants: tuple[Variant, ...], number: int) -> tuple[Variant, ...]:
    at = number % len(variants)
    return variants[at:] + variants[:at]


def _in_a_process(work: Run, ground: Ground) -> Sample:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, work, ground).result()


def _measure(work: Run, ground: Ground) -> Sample:
    async def measured() -> Sample:
        return await work(ground)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measured())
