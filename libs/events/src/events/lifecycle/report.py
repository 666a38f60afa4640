"""Durations over many requests: exact counts, sums, means and percentiles of every reported metric, by group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from events.lifecycle.life import Life
from events.lifecycle.metrics import REPORTED, Cohort

GROUPINGS: Final = ("channel", "queue", "tier", "agent_id", "support_level", "severity")
"""What a report may be grouped by. A summary carries these, in this order."""

SHORT_ABANDON_US: Final = 5_000_000
"""An abandon below this counts as a short one unless another limit is given, in µs."""

PERCENTILES: Final = (50, 90, 95, 99)

_NAMES: Final = ("count", "sum_us", "min_us", "mean_us", *(f"p{share}_us" for share in PERCENTILES), "max_us")
_ABANDON: Final = [metric.name for metric in REPORTED].index("abandon_us")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a report needs of one request. `values` are its metrics in the order of `REPORTED`, all times in µs."""

    channel: str | None
    queue: str | None
    tier: int | None
    agent_id: str | None
    support_level: str
    severity: int
    received_us: int | None
    connected_us: int | None
    resolved_us: int | None
    values: tuple[int | None, ...]


def summarise(life: Life) -> Summary:
    """What a report needs of `life`; queue, tier and agent are those of its reporting leg, as they were then."""
    leg = life.reporting_leg
    return Summary(
        channel=life.channel,
        queue=None if leg is None else leg.queue,
        tier=None if leg is None else leg.tier,
        agent_id=None if leg is None else leg.agent_id,
        support_level=life.support_level,
        severity=life.severity,
        received_us=life.received_us,
        connected_us=life.connected_us,
        resolved_us=life.resolved_us,
        values=life.durations + life.metrics,
    )


def report(
    summaries: Iterable[Summary],
    *,
    cohort: Cohort,
    from_us: int,
    to_us: int,
    group_by: Sequence[str] = (),
    short_abandon_us: int = SHORT_ABANDON_US,
) -> list[dict[str, Any]]:
    """The groups of all requests whose headline time of `cohort` lies in `[from_us, to_us)`.

    Raises ValueError for a grouping that is none of `GROUPINGS`.
    """
    unknown = [name for name in group_by if name not in GROUPINGS]
    if unknown:
        raise ValueError(f"cannot group by {', '.join(unknown)}; known are {', '.join(GROUPINGS)}")
    time_of, key_of = attrgetter(f"{cohort}_us"), [attrgetter(name) for name in group_by]
    rows = []
    for summary in summaries:
        at_us = time_of(summary)
        if at_us is not None and from_us <= at_us < to_us:
            rows.append((*[key(summary) for key in key_of], *summary.values))
    return groups(rows, group_by, short_abandon_us)


def groups(
    rows: Iterable[Sequence[Any]], group_by: Sequence[str] = (), short_abandon_us: int = SHORT_ABANDON_US
) -> list[dict[str, Any]]:
    """The same for rows that are already chosen: the values of `group_by`, then those of `REPORTED`, as many columns.

    Groups come sorted by key, null after everything else. There is none without requests.
    """
    width = len(group_by)
    by_key: dict[tuple[Any, ...], list[Sequence[Any]]] = {}
    for row in rows:
        by_key.setdefault(tuple(row[:width]), []).append(row)
    ordered = sorted(by_key, key=lambda key: [(part is None, part) for part in key])
    return [
        {"key": dict(zip(group_by, key, strict=True)), **_group(by_key[key], width, short_abandon_us)}
        for key in ordered
    ]


def _group(rows: list[Sequence[Any]], width: int, short_abandon_us: int) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True))[width:]
    short = [us for us in columns[_ABANDON] if us is not None and us < short_abandon_us]
    return {
        "requests": len(rows),
        "short_abandons": len(short),
        "metrics": {metric.name: statistics(column) for metric, column in zip(REPORTED, columns, strict=True)},
    }


def statistics(column: Iterable[int | None]) -> dict[str, int | None]:
    """Count, sum, least, mean, nearest-rank percentiles and greatest of those that are not null; nulls where none is.

    Integers of any size throughout. A percentile is a value that occurred: the one at place ⌈p·n/100⌉.
    """
    values = sorted([us for us in column if us is not None])
    count = len(values)
    if not count:
        return dict.fromkeys(_NAMES) | {"count": 0}
    total = sum(values)
    stated = [values[(share * count + 99) // 100 - 1] for share in PERCENTILES]
    return dict(zip(_NAMES, (count, total, values[0], mean(total, count), *stated, values[-1]), strict=True))


def mean(total: int, count: int) -> int:
    """`total / count` to the nearest integer, a tie to the even one; exact at any size."""
    whole, rest = divmod(total, count)
    return whole + (2 * rest > count or (2 * rest == count and whole % 2 == 1))
