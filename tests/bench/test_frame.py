"""The frame that benchmarks run in: CPU from /proc, figures, ratios, rounds."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

import pytest

from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, cpu_seconds, nearest_rank, ratio
from bench.rounds import Outcome, run
from bench.tables import as_json, claims, label, section

BURN = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
GROUND = Ground("postgresql://unused", "unused:9092", (), (), "bench.")


async def quick(ground: Ground) -> Sample:
    """A variant that does next to nothing; it tells the topic prefix that it was given."""
    assert ground.topic_prefix.startswith("bench.quick.")
    return Sample(100, 1.0, {"service": 0.1}, [1_000, 2_000, 3_000])


async def slow(_: Ground) -> Sample:
    """Ten times the CPU of `quick`, a tenth of its rate."""
    return Sample(100, 10.0, {"service": 1.0}, [10_000, 20_000, 30_000])


BENCH = Bench(
    name="trial",
    question="does the frame work?",
    unit="thing",
    guarantees="none",
    variants=(Variant("slow", "slowly", slow), Variant("quick", "quickly", quick)),
    claims=(Claim("per_s", "slow", 9), Claim("p50_ms", "slow", 11), Claim("service_cpu_us", "slow", 10)),
    figures=("per_s", "service_cpu_us", "p50_ms"),
)


def test_cpu_of_living_and_of_reaped_children_counts() -> None:
    before = cpu_seconds([os.getpid()])
    subprocess.run([sys.executable, "-c", BURN], check=True)
    reaped = cpu_seconds([os.getpid()]) - before
    assert reaped >= 0.19
    child = subprocess.Popen([sys.executable, "-c", BURN + "\nimport sys\nprint(flush=True)\nsys.stdin.read()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    assert cpu_seconds([os.getpid()]) - before - reaped >= 0.19
    child.communicate()


def test_the_cpu_of_a_process_that_is_gone_is_none() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert cpu_seconds([child.pid]) == 0


def test_a_meter_takes_wall_time_and_the_cpu_of_each_part() -> None:
    with Meter({"service": [os.getpid()], "nobody": []}) as meter:
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
    sample = meter.sample(10)
    assert sample.cpu_s["service"] >= 0.09
    assert sample.cpu_s["nobody"] == 0
    assert sample.wall_s >= 0.1


def test_percentiles_are_values_that_occurred() -> None:
    assert nearest_rank([1, 2, 3, 4], 50) == 2
    assert nearest_rank([1, 2, 3, 4], 99) == 4
    assert nearest_rank([7], 1) == 7


@pytest.mark.parametrize(
    ("figure", "product", "other", "better"),
    [("per_s", 30, 10, 3), ("service_per_cpu_s", 30, 10, 3), ("service_cpu_us", 10, 30, 3), ("p99_ms", 10, 5, 0.5)],
)
def test_a_ratio_says_how_many_times_better_the_product_is(
    figure: str, product: float, other: float, better: float
) -> None:
    assert ratio(figure, product, other) == better


def test_every_variant_runs_once_a_round_in_a_process_of_its_own_and_in_turn() -> None:
    told: list[tuple[str, int]] = []
    outcome = run(BENCH, GROUND, lambda variant, number, _: told.append((variant, number)), rounds=2)
    assert told == [("slow", 1), ("quick", 1), ("quick", 2), ("slow", 2)]
    assert [len(each) for each in outcome.rounds.values()] == [2, 2]


def test_a_claim_that_is_not_reached_is_said_to_be_short() -> None:
    samples = {name: [asyncio.run(variant(GROUND)).figures()] for name, variant in (("slow", slow),)}
    samples["quick"] = [Sample(100, 1.0, {"service": 0.1}, [1_000, 2_000, 3_000]).figures()]
    result = as_json(Outcome(BENCH, samples, 3.14, "2026-11-22"))
    assert [claim["reached"] for claim in result["claims"]] == [10.0, 10.0, 10.0]
    assert "10.0 times, short of it" in claims(result)
    assert "a load of 3.1 before it began" in section(result)
    assert f" 2026-11-22: {os.cpu_count()} cores of " in section(result)
    assert claims(result).count("**10.0 times**") == 2
    assert "| **quick**: quickly | 100 | 1,000 | 2.00 |" in section(result)


def test_figures_are_headed_in_words() -> None:
    assert label("service_per_cpu_s") == "per CPU second of the service"
    assert label("postgres_cpu_us") == "CPU µs of PostgreSQL each"
    assert label("p99_ms") == "p99 ms"
