"""A report's groups from counted figures."""

from __future__ import annotations

from audit.domain.report import REQUESTS, Figures, groups
from events.lifecycle import REPORTED


def figures(key: tuple[object, ...], number: int, count: int, total: int) -> Figures:
    return Figures(key, number, count, total, 1, (2, 3, 4, 5), 6)


def test_a_group_states_every_metric_and_nulls_where_nobody_has_it() -> None:
    (group,) = groups([], [figures((), REQUESTS, 2, 1), figures((), 1, 2, 5)])
    assert (group["key"], group["requests"], group["short_abandons"]) == ({}, 2, 1)
    assert list(group["metrics"]) == [metric.name for metric in REPORTED]
    first, second = (group["metrics"][metric.name] for metric in REPORTED[:2])
    assert first == {
        "count": 2,
        "sum_us": 5,
        "min_us": 1,
        "mean_us": 2,
        "p50_us": 2,
        "p90_us": 3,
        "p95_us": 4,
        "p99_us": 5,
        "max_us": 6,
    }
    assert second == dict.fromkeys(first) | {"count": 0}


def test_groups_are_sorted_by_key_with_nulls_last() -> None:
    keys = [("b", None), ("a", 10), ("b", 2), (None, 1)]
    found = groups(["queue", "tier"], [figures(key, REQUESTS, 1, 0) for key in keys])
    assert [tuple(group["key"].values()) for group in found] == [("a", 10), ("b", 2), ("b", None), (None, 1)]


def test_without_requests_there_is_no_group() -> None:
    assert groups(["queue"], []) == []
