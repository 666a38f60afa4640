"""The table that is watched while the day goes on, and the line that is printed now and then where nobody can watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from throughline.demo.tally import Row, Tally
from throughline.drawing import COLOURS

STATES = ("waiting", "offered", "connected", "paused", "resolved", "abandoned")
BAR_CELLS = 40
WIDE = 106


@dataclass(frozen=True, slots=True)
class Moment:
    """What the table shows beside the tally: `passed` of the day in [0, 1], the real time, and who is at work."""

    time_of_day: str
    passed: float
    now_us: int
    tiers: Mapping[int, tuple[int, int]]  # tier → busy, there; who has gone to lunch may be busy still
    news: tuple[str, ...] = ()


def board(tally: Tally, moment: Moment, width: int = WIDE) -> RenderableType:
    """The whole picture: the clock, a row for each channel, the agents and what happened last.

    A terminal of 80 columns has no room for the longest wait.
    """
    wide = width >= WIDE
    columns = ("contacts", *STATES, "service\nlevel", "longest\nwait")[: None if wide else -1]
    table = Table(box=SIMPLE_HEAD if wide else None, pad_edge=False, padding=(0, 2 if wide else 1, 0, 0))
    table.add_column("channel", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    for channel in tally.channels():
        table.add_row(channel, *_cells(tally.row(channel), moment.now_us)[: len(columns)])
    table.add_section()
    table.add_row("all", *_cells(tally.row(), moment.now_us)[: len(columns)], style="bold")
    news = [Text(f"  {text}", "dim", no_wrap=True, overflow="ellipsis") for text in moment.news]
    return Group(_clock(moment), Text(), table, _agents(moment), Text(), *news)


def line(tally: Tally, moment: Moment) -> str:
    """The same in one line, for a log or a pipe."""
    row = tally.row()
    counts = ", ".join(f"{name} {getattr(row, name):,}" for name in STATES)
    return f"{moment.time_of_day}  contacts {row.received:,}: {counts}, service level {percent(row.service_level)}"


def percent(share: float | None) -> str:
    """A share as people read it; a dash where there is none."""
    return "-" if share is None else f"{share:.0%}"


def _clock(moment: Moment) -> Text:
    full = round(BAR_CELLS * moment.passed)
    closed = "  closed, the last are being served" if moment.passed >= 1 else ""
    bar = ("━" * full, "cyan"), ("━" * (BAR_CELLS - full), "bright_black")
    return Text.assemble((f"{moment.time_of_day}  ", "bold"), *bar, (closed, "dim"))


def _cells(row: Row, now_us: int) -> list[Text]:
    counts = [Text(f"{row.received:,}")]
    counts += [Text(f"{getattr(row, name):,}", COLOURS[name] if getattr(row, name) else "dim") for name in STATES]
    wait = "-" if row.oldest_us is None else f"{max(0, now_us - row.oldest_us) / 1_000_000:.1f} s"
    return [*counts, Text(percent(row.service_level)), Text(wait)]


def _agents(moment: Moment) -> Text:
    said = [f"tier {tier}: {busy} of {there} there" for tier, (busy, there) in moment.tiers.items()]
    return Text(f"agents busy   {', '.join(said)}")
