"""Duration reports as a table for people and as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from throughline.drawing import HEADLINES, WIDE
from throughline.spans import rounded

Report = Mapping[str, Any]

STATISTICS = ("count", "sum_us", "min_us", "mean_us", "p50_us", "p90_us", "p95_us", "p99_us", "max_us")
SHOWN = ("p50_us", "p90_us")
_UNBOUNDED = Console(width=10_000)


def table(report: Report, metrics: Sequence[str] = HEADLINES, width: int = WIDE) -> RenderableType:
    """One row per group: requests, short abandons, and median and p90 of each metric; several tables where these have
    no room beside one another in so many columns.
    """
    start, end = (str(report[name]).replace("T", " ").removesuffix(".000000Z") for name in ("from", "to"))
    title = Text(f"{report['cohort']} from {start} until before {end} UTC", "italic")
    foot = Text("min:s or h:min:s, rounded; --json and --csv give every statistic in µs", "dim")
    return Group(title, *_fitting(report, metrics, width), foot)


def _fitting(report: Report, metrics: Sequence[str], width: int) -> list[Table]:
    """As few tables as have room, with as many metrics in each."""
    for count in range(1, len(metrics) + 1):
        each = math.ceil(len(metrics) / count)
        tables = [_drawn(report, metrics[at : at + each]) for at in range(0, len(metrics), each)]
        if max(_UNBOUNDED.measure(table).maximum for table in tables) <= width:
            break
    return tables


def _drawn(report: Report, metrics: Sequence[str]) -> Table:
    names = list(report["group_by"])
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        drawn.add_column(name, vertical="bottom", no_wrap=True)
    for heading in ("requests", "short\naban-\ndons", *_headings(metrics)):
        drawn.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for group in report["groups"]:
        drawn.add_row(*_row(group, names, metrics))
    return drawn


def _headings(metrics: Sequence[str]) -> list[str]:
    names = [metric.removesuffix("_us").replace("_to_", "_→_").replace("_", "\n") for metric in metrics]
    return [heading for name in names for heading in (f"{name}\np50", "p90")]


def _row(group: Mapping[str, Any], names: Sequence[str], metrics: Sequence[str]) -> list[str]:
    key = ["-" if group["key"][name] is None else str(group["key"][name]) for name in names]
    cells = [rounded(group["metrics"][metric][each]) for metric in metrics for each in SHOWN]
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
