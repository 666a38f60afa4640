"""Duration reports as a table for people and as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from throughline.drawing import HEADLINES
from throughline.spans import rounded

Report = Mapping[str, Any]

STATISTICS = ("count", "sum_us", "min_us", "mean_us", "p50_us", "p90_us", "p95_us", "p99_us", "max_us")
SHOWN = ("p50_us", "p90_us")


def table(report: Report, metrics: Sequence[str] = HEADLINES) -> Table:
    """One row per group: requests, short abandons, and median and p90 of each metric as minutes:seconds."""
    names = list(report["group_by"])
    title = f"{report['cohort']} from {report['from']} to {report['to']}"
    drawn = Table(title=title, caption="minutes:seconds, rounded; --json and --csv are exact", title_justify="left")
    for name in names:
        drawn.add_column(name)
    drawn.add_column("requests", justify="right")
    drawn.add_column("short\nabandons", justify="right")
    for metric in metrics:
        drawn.add_column(
            f"{metric.removesuffix('_us').replace('_to_', ' → ').replace('_', ' ')}\np50 / p90", justify="right"
        )
    for group in report["groups"]:
        drawn.add_row(*_row(group, names, metrics))
    return drawn


def _row(group: Mapping[str, Any], names: Sequence[str], metrics: Sequence[str]) -> list[str]:
    key = ["-" if group["key"][name] is None else str(group["key"][name]) for name in names]
    cells = [" / ".join(rounded(group["metrics"][metric][each]) for each in SHOWN) for metric in metrics]
    return [*key, f"{group['requests']:,}", f"{group['short_abandons']:,}", *cells]


def by_hour(reports: Mapping[str, Report]) -> Report:
    """One report whose groups are the hours: `reports` has an ungrouped one for each hour's name, in order."""
    whole = list(reports.values())
    groups = [group | {"key": {"hour": hour}} for hour, report in reports.items() for group in report["groups"]]
    return {**whole[0], "to": whole[-1]["to"], "group_by": ["hour"], "groups": groups}


def metric_names(report: Report) -> list[str]:
    """The metrics that a report has, in its order."""
    return list(report["groups"][0]["metrics"]) if report["groups"] else []


def as_csv(report: Report) -> str:
    """One row per group and metric with every statistic in whole µs; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(report["group_by"])
    writer.writerow([*names, "requests", "short_abandons", "metric", *STATISTICS])
    for group in report["groups"]:
        key = [group["key"][name] for name in names]
        writer.writerows(_csv_rows([*key, group["requests"], group["short_abandons"]], group["metrics"]))
    return out.getvalue()


def _csv_rows(start: list[Any], metrics: Mapping[str, Mapping[str, Any]]) -> Iterable[list[Any]]:
    for metric, values in metrics.items():
        yield [*start, metric, *(values[name] for name in STATISTICS)]
