"""A report is exact: counts, sums, means, percentiles and groups, at any size."""

import random
import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from events.lifecycle import METRICS, REPORTED, Entry, fold
from events.lifecycle.metrics import Cohort
from events.lifecycle.report import Summary, groups, mean, report, statistics, summarise
from events.lifecycle.samples import received, said

SUMMARY = Summary("voice", "default", 1, "a", "standard", 3, 0, None, None, (None,) * len(REPORTED))


def with_metric(name: str, us: int | None, **more: Any) -> Summary:
    values = [us if metric.name == name else None for metric in REPORTED]
    return replace(SUMMARY, values=tuple(values), **more)


def one_group(summaries: list[Summary], **more: Any) -> dict[str, Any]:
    [group] = report(summaries, cohort=Cohort.RECEIVED, from_us=0, to_us=1_000, **more)
    return group


def test_a_percentile_is_the_value_at_the_nearest_rank() -> None:
    stated = statistics(range(10, 0, -1))
    assert stated == {
        "count": 10,
        "sum_us": 55,
        "min_us": 1,
        "mean_us": 6,
        "p50_us": 5,
        "p90_us": 9,
        "p95_us": 10,
        "p99_us": 10,
        "max_us": 10,
    }


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 21, 99, 100, 101, 200, 1000])
def test_the_rank_is_rounded_up_exactly(count: int) -> None:
    stated = statistics(range(1, count + 1))
    for share in (50, 90, 95, 99):
        assert stated[f"p{share}_us"] == -(-Fraction(share * count, 100) // 1)


def test_one_value_is_all_of_them() -> None:
    stated = statistics([7])
    assert stated.pop("count") == 1
    assert set(stated.values()) == {7}


def test_a_metric_that_nobody_has_counts_zero_and_is_null() -> None:
    stated = statistics([None, None])
    assert stated.pop("count") == 0
    assert set(stated.values()) == {None}
    assert len(stated) == 8


def test_null_is_left_out_and_zero_is_not() -> None:
    assert statistics([None, 0, 4])["count"] == 2
    assert statistics([None, 0, 4])["min_us"] == 0


@pytest.mark.parametrize(
    ("total", "count", "rounded"),
    [(5, 2, 2), (7, 2, 4), (1, 2, 0), (3, 2, 2), (10, 4, 2), (14, 4, 4), (7, 3, 2), (8, 3, 3), (0, 5, 0)],
)
def test_a_mean_is_rounded_half_to_even(total: int, count: int, rounded: int) -> None:
    assert mean(total, count) == rounded == round(Fraction(total, count))


def test_sums_and_means_beyond_64_bits_are_exact() -> None:
    most = 253_402_300_799_999_999
    stated = statistics([most] * 1_000 + [most - 1])
    assert stated["sum_us"] == most * 1_001 - 1 > 2**63
    assert stated["mean_us"] == most
    assert mean(2**70 + 1, 2) == 2**69
    assert mean(2**70 + 3, 2) == 2**69 + 2


def test_a_short_abandon_is_in_the_numbers_and_counted_beside_them() -> None:
    stays = [0, 4_999_999, 5_000_000, None]
    group = one_group([with_metric("abandon_us", us) for us in stays])
    assert (group["requests"], group["short_abandons"]) == (4, 2)
    assert group["metrics"]["abandon_us"]["count"] == 3
    assert one_group([with_metric("abandon_us", us) for us in stays], short_abandon_us=1)["short_abandons"] == 1


def test_without_a_grouping_there_is_one_group_with_an_empty_key() -> None:
    assert one_group([SUMMARY, SUMMARY])["key"] == {}


def test_no_request_is_no_group() -> None:
    assert report([], cohort=Cohort.RECEIVED, from_us=0, to_us=9) == []


def test_groups_are_sorted_by_key_with_null_last_and_numbers_as_numbers() -> None:
    tiers = [(10, "a"), (None, "b"), (2, None), (2, "z"), (2, "ä"), (2, "Z")]
    given = [replace(SUMMARY, tier=tier, agent_id=agent) for tier, agent in tiers]
    stated = report(given, cohort=Cohort.RECEIVED, from_us=0, to_us=1, group_by=["tier", "agent_id"])
    keys = [tuple(group["key"].values()) for group in stated]
    assert keys == [(2, "Z"), (2, "z"), (2, "ä"), (2, None), (10, "a"), (None, "b")]


def test_the_key_has_the_members_asked_for_in_that_order() -> None:
    [group] = report([SUMMARY], cohort=Cohort.RECEIVED, from_us=0, to_us=1, group_by=["severity", "channel"])
    assert list(group["key"].items()) == [("severity", 3), ("channel", "voice")]


def test_an_unknown_grouping_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="cannot group by mood"):
        report([], cohort=Cohort.RECEIVED, from_us=0, to_us=1, group_by=["tier", "mood"])


@pytest.mark.parametrize("cohort", list(Cohort))
def test_a_cohort_is_chosen_by_its_headline_time_in_a_half_open_window(cohort: Cohort) -> None:
    blank = replace(SUMMARY, received_us=None)
    times: list[dict[str, Any]] = [{f"{cohort}_us": at_us} for at_us in (9, 10, 19, 20)]
    given = [replace(blank, **at) for at in times]
    [group] = report([blank, *given], cohort=cohort, from_us=10, to_us=20)
    assert group["requests"] == 2


STORY = [
    received(0, queue="billing", support_level="gold", severity=1, channel="chat"),
    said("Routed", 1, agent_id="a"),
    said("OfferClosed", 2, reason="declined"),
    said("Requeued", 3, reason="agent_lost", tier=2),
    said("Connected", 4, agent_id="b", queue="vip"),
    said("Transferred", 5, to={"queue": "late"}),
    said("Connected", 6, agent_id="c"),
    said("Resolved", 7),
]


def place(given: list[Entry]) -> tuple[str | None, int | None, str | None]:
    summary = summarise(fold(given))
    return summary.queue, summary.tier, summary.agent_id


def test_a_request_counts_under_the_leg_that_first_connected_else_under_its_first() -> None:
    assert place(STORY) == ("vip", 2, "b")
    assert place(STORY[:4]) == ("billing", 1, "a")
    assert place(STORY[:1]) == ("billing", 1, None)


def test_a_connection_in_a_later_cycle_does_not_move_it() -> None:
    assert place([*STORY[:2], said("Abandoned", 3), said("Reopened", 4), said("Connected", 5, agent_id="z")]) == (
        "billing",
        1,
        "a",
    )


def test_a_summary_holds_the_contacts_own_facts_and_defaults() -> None:
    summary = summarise(fold(STORY))
    assert (summary.channel, summary.support_level, summary.severity) == ("chat", "gold", 1)
    plain = summarise(fold([received(0)]))
    assert (plain.channel, plain.support_level, plain.severity) == ("voice", "standard", 3)


def test_a_history_without_its_contact_is_in_no_cohort() -> None:
    lost = summarise(fold([said("Connected", 5, agent_id="a"), said("Resolved", 6)]))
    for cohort in Cohort:
        assert report([lost], cohort=cohort, from_us=0, to_us=100) == []


def test_a_summary_holds_the_values_of_all_reported_metrics_in_order() -> None:
    life = fold(STORY)
    assert summarise(life).values == life.durations + life.metrics
    assert len(summarise(life).values) == len(REPORTED) == 4 + len(METRICS)


def test_a_month_of_calls_is_reported_in_well_under_a_second() -> None:
    rng = random.Random(1)
    rows = [(f"q-{n % 7}", *[rng.randrange(10**9) for _ in REPORTED]) for n in range(33_000)]
    begun = time.process_time()
    stated = groups(rows, ["queue"])
    assert time.process_time() - begun < 2
    assert sum(group["requests"] for group in stated) == 33_000
