"""The bench of whole lives: what is made of the times that it took, and what its desks make of a stream."""

from __future__ import annotations

import asyncio

import pytest

from bench.common import Bench, Ground, Sample, Variant
from bench.event_stream import EventStream
from bench.life import BENCH
from bench.life_desk import Floor
from bench.life_reading import PARTS, Life, figures, growth_per_s, open_at, percentiles, reading
from bench.rounds import Outcome
from bench.tables import as_json, claims, section

STEADY = [Life(n / 10, n / 10 + 0.02, n / 10 + 0.05) for n in range(100)]
STUCK = [Life(n / 10, n / 10 + 0.02, n / 10 + 0.05 if n < 50 else None) for n in range(100)]
IDLE = {
    **{f"{part}_cores": 0.1 for part in (*PARTS, "load", "machine")},
    **{f"{part}_cpu_us": 2_000.0 for part in PARTS},
    "received_to_routed_p50_ms": 2_352.0,
    "post_to_timeline_p50_ms": 203.0,
}
KEPT = {**IDLE, "posted_per_s": 20.0, "backlog_grows_per_s": 1.9}
FELL_BEHIND = {**IDLE, "posted_per_s": 100.0, "backlog_grows_per_s": 34.0}


def test_a_life_is_open_from_its_due_moment_until_it_is_resolved() -> None:
    lives = [Life(1.0, 1.5, 2.0), Life(1.5, None, None)]
    assert [open_at(lives, moment) for moment in (0.9, 1.0, 1.9, 2.0, 9.0)] == [0, 1, 2, 1, 1]


def test_a_backlog_grows_by_what_comes_and_does_not_go() -> None:
    assert growth_per_s(STEADY, 10.0) == pytest.approx(0, abs=0.3)
    assert growth_per_s(STUCK, 10.0) == pytest.approx(10, abs=0.3)


def test_lives_that_never_end_are_counted_and_give_no_rate() -> None:
    step = figures(STUCK, 10.0)
    assert (step["posted_per_s"], step["lives_per_s"], step["unfinished"]) == (10.0, 5.0, 50.0)
    assert step["post_to_desk_p50_ms"] == step["post_to_desk_p99_ms"] == 20.0


def test_a_life_resolved_after_the_load_is_none_of_its_rate() -> None:
    assert figures([Life(0.0, 0.5, 1.0), Life(0.5, 1.0, 1.5)], 1.0)["lives_per_s"] == 1.0


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(RuntimeError, match="nothing was measured of visible"):
        percentiles("visible", [])


def test_a_stack_that_keeps_up_with_all_is_not_said_to_stop_anywhere() -> None:
    assert reading({"20/s": KEPT}, 2) == (
        "It keeps up with 20/s. It is not known where it stops: no higher rate was tried."
    )


def test_the_first_step_that_grows_is_told_with_the_service_that_was_full() -> None:
    full = {**FELL_BEHIND, "router_cores": 0.97, "postgres_cores": 0.95}
    said = reading({"20/s": KEPT, "100/s": full, "200/s": FELL_BEHIND}, 2)
    assert said == (
        "It keeps up with 20/s. At 100/s the backlog grew by 34 a second. At the limit of one core: router (0.97). "
        "At 20/s 0.10 cores were busy: a life cost 14 ms of CPU there, and 14 ms here. "
        "Half were offered to an agent within 2,352 ms of their receipt, "
        "and half were in audit's timeline within 203 ms."
    )


def test_a_full_machine_is_told_with_the_part_of_the_load_itself() -> None:
    full = {**FELL_BEHIND, "machine_cores": 1.97, "load_cores": 0.3, "router_cores": 0.5, "kafka_cores": 0.4}
    said = reading({"100/s": full}, 2)
    assert "1.97 of 2 cores were busy, the load itself had 0.30 of them" in said
    assert "router 0.50, Kafka 0.40" in said
    assert "one core" not in said


def test_where_nothing_was_full_nothing_is_blamed() -> None:
    assert "Neither a service nor the machine was full (0.10 of 2 cores)." in reading({"100/s": FELL_BEHIND}, 2)


def test_lives_of_the_warm_up_are_left_out_and_times_begin_with_the_load() -> None:
    floor = Floor({"early": 1.0, "late": 12.0}, {"early": 2.0, "late": 12.5}, {"early": 11.0})
    assert floor.lives(10.0) == [Life(2.0, 2.5, None)]


def test_events_of_a_stream_are_told_wherever_the_bytes_were_cut() -> None:
    body = b': ping\n\nevent: offer\ndata: {"leg":1}\n\nevent: released\ndata: {"leg":1}\n\n'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    heard: list[tuple[str, bytes]] = []

    async def cut() -> None:
        for size in (1, 7, len(answer)):
            stream = EventStream("/stream", {}, lambda event, data: heard.append((event, data)))
            for at in range(0, len(answer), size):
                stream.data_received(answer[at : at + size])

    asyncio.run(cut())
    assert heard == [("offer", b'{"leg":1}'), ("released", b'{"leg":1}')] * 3


def test_a_stream_that_is_refused_is_over_with_the_status() -> None:
    async def refused() -> None:
        stream = EventStream("/stream", {}, lambda *_: None)
        stream.data_received(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(RuntimeError, match="404"):
            await stream.over

    asyncio.run(refused())


async def unrun(_: Ground) -> Sample:
    """Never run here."""
    raise AssertionError


def test_a_description_has_a_row_for_each_figure_and_makes_no_claim() -> None:
    bench = Bench(
        name="trial",
        question="how much?",
        unit="life",
        guarantees="all",
        variants=(Variant("20/s", "slow", unrun), Variant("50/s", "fast", unrun)),
        claims=(),
        figures=("lives_per_s", "router_cpu_us", "machine_cores", "audit_pss_mib"),
        rounds=1,
        reading=lambda medians, cores: f"{', '.join(medians)} on {cores}.",
    )
    round_ = {"lives_per_s": 20.0, "router_cpu_us": 4_000.0, "machine_cores": 1.5, "audit_pss_mib": 61.0}
    result = as_json(Outcome(bench, {"20/s": [round_], "50/s": [{**round_, "lives_per_s": 50.0}]}))
    shown = section(result)
    assert "**20/s, 50/s on " in shown
    assert "| 1 round, one life | **20/s** | **50/s** |" in shown
    assert "| lives per second | 20.0 | 50.0 |" in shown
    assert "| CPU µs of router each | 4,000 | 4,000 |" in shown
    assert "| cores of the whole machine under the load | 1.50 | 1.50 |" in shown
    assert "| MiB of audit (PSS) | 61.0 | 61.0 |" in shown
    assert claims(result) == ""


def test_the_bench_describes_rising_steps_once() -> None:
    rates = [int(variant.name.removesuffix("/s")) for variant in BENCH.variants]
    assert rates == sorted(rates)
    assert (BENCH.claims, BENCH.rounds) == ((), 1)
