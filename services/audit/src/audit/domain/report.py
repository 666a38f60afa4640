"""A report's groups from the figures that the database counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.lifecycle import REPORTED
from events.lifecycle.report import PERCENTILES, mean

REQUESTS: Final = 0
"""The number under which a group's requests are counted; the metrics follow, from 1 in the registry's order."""

_EMPTY: Final[Mapping[str, int | None]] = {
    "count": 0,
    **dict.fromkeys(("sum_us", "min_us", "mean_us", *(f"p{share}_us" for share in PERCENTILES), "max_us")),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One number's figures in one group: how many values, their sum, and the values at the ranks that are asked for."""

    key: tuple[Any, ...]
    number: int
    count: int
    total: int
    least: int
    percentiles: tuple[int, ...]
    greatest: int


def groups(names: Sequence[str], figures: Iterable[Figures]) -> list[dict[str, Any]]:
    """The groups of an answer, by key with nulls last. The sum under `REQUESTS` is that of the short abandons."""
    by_key: dict[tuple[Any, ...], dict[int, Figures]] = {}
    for found in figures:
        by_key.setdefault(found.key, {})[found.number] = found
    ordered = sorted(by_key, key=lambda key: [(part is None, part) for part in key])
    return [_group(dict(zip(names, key, strict=True)), by_key[key]) for key in ordered]


def _group(key: Mapping[str, Any], found: Mapping[int, Figures]) -> dict[str, Any]:
    return {
        "key": key,
        "requests": found[REQUESTS].count,
        "short_abandons": found[REQUESTS].total,
        "metrics": {metric.name: _stated(found.get(number)) for number, metric in enumerate(REPORTED, start=1)},
    }


def _stated(found: Figures | None) -> Mapping[str, int | None]:
    if found is None:
        return _EMPTY
    return {
        "count": found.count,
        "sum_us": found.total,
        "min_us": found.least,
        "mean_us": mean(found.total, found.count),
        **{f"p{share}_us": value for share, value in zip(PERCENTILES, found.percentiles, strict=True)},
        "max_us": found.greatest,
    }
