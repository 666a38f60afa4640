"""A timeline and a report as they are shown."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from events.lifecycle import Entry, fold, timeline
from events.times import to_us
from throughline.command_day import most_eventful
from throughline.day import day
from throughline.day_story import Line
from throughline.drawing import BAR_CELLS, HEADLINES, drawing
from throughline.reports import STATISTICS, as_csv, by_hour, metric_names, table
from throughline.spans import DAY_US, readable


def shown(drawn: RenderableType, width: int = 240) -> str:
    """What a terminal of so many columns shows."""
    console = Console(file=io.StringIO(), width=width, color_system=None, record=True)
    console.print(drawn)
    return console.export_text()


def folded(*entries: Entry) -> dict[str, Any]:
    """The timeline of these events as audit gives it."""
    for place, entry in enumerate(entries):
        entry.position = f"contacts/0/{place}"
    return timeline(fold(entries), request_id="r-1", as_of_us=DAY_US, open_data=lambda entry: entry.data)


def entry(kind: str, at_us: int, cause: str | None = None, **data: Any) -> Entry:
    """An imported event."""
    return Entry(f"{kind}-{at_us}", kind, "/imports", None, cause, at_us, data)


@pytest.fixture(scope="module")
def whole_life() -> dict[str, Any]:
    lines = day(20_412 * DAY_US, seed=7)
    chosen = most_eventful(lines)
    mine = [line for line in lines if line["request_id"] == chosen]
    return folded(*(imported(line, n) for n, line in enumerate(mine, 1)))


def imported(line: Line, sequence: int) -> Entry:
    """An import line as the fold takes it."""
    at_us = to_us(line["occurred_at"])
    return Entry(line["event_id"], line["type"], "/imports", sequence, line["causation_id"], at_us, line["data"])


def test_the_four_headline_durations_stand_by_their_names_to_the_microsecond(whole_life: dict[str, Any]) -> None:
    text = shown(drawing(whole_life))
    for name in HEADLINES:
        us = whole_life["durations"][name]
        assert name in text
        assert f"{us:,}" in text
        assert readable(us) in text


def test_every_event_and_every_leg_is_shown(whole_life: dict[str, Any]) -> None:
    text = shown(drawing(whole_life))
    assert all(event["position"] in text for event in whole_life["events"])
    legs = [line.split()[:3] for line in text.partition("Legs")[2].splitlines()[2:] if line.strip()]
    assert [[str(leg[name]) for name in ("leg", "cycle", "tier")] for leg in whole_life["legs"]] == legs[:-1]
    assert len(whole_life["legs"]) >= 2


def test_a_step_that_did_not_happen_is_a_dash_and_never_0() -> None:
    text = shown(drawing(folded(entry("ContactReceived", 1, channel="voice", customer={"id": "c-1"}))))
    line = next(line for line in text.splitlines() if line.startswith("received_to_routed_us"))
    assert line.split()[1:] == ["-", "-"]


def test_a_time_raised_to_its_cause_shows_the_stated_one_too() -> None:
    received = entry("ContactReceived", 5_000_000, channel="voice", customer={"id": "c-1"})
    early = entry("Connected", 4_000_000, received.event_id, agent_id="a-1")
    assert "(00:00:04.000000)" in shown(drawing(folded(received, early)))


def test_a_history_without_its_beginning_is_told_to_be_incomplete() -> None:
    text = shown(drawing(folded(entry("Connected", 4_000_000, agent_id="a-1"))))
    assert "incomplete" in text


def test_the_bar_is_in_proportion_and_leaves_no_segment_out() -> None:
    received = entry("ContactReceived", 0, channel="voice", customer={"id": "c-1"})
    routed, connected = entry("Routed", 1, agent_id="a"), entry("Connected", 90_000_000, agent_id="a")
    text = shown(drawing(folded(received, routed, connected)))
    assert 1 + BAR_CELLS <= text.count("█") <= 2 + BAR_CELLS


def statistics(value: int | None) -> dict[str, Any]:
    """One metric of one group."""
    return dict.fromkeys(STATISTICS, value) | {"count": 0 if value is None else 3}


def report(key: dict[str, Any], value: int | None) -> dict[str, Any]:
    """A report with one group, as audit gives it."""
    groups = [{"key": key, "requests": 3, "short_abandons": 1, "metrics": {"handle_us": statistics(value)}}]
    start, end = "2026-11-20T07:00:00.000000Z", "2026-11-20T08:00:00.000000Z"
    return {"from": start, "to": end, "cohort": "received", "group_by": list(key), "groups": groups}


def row_of(drawn: RenderableType, key: str) -> list[str]:
    """The cells of the row that begins with the key."""
    return next(line.split() for line in shown(drawn).splitlines() if line.split()[:1] == [key])


def test_a_report_shows_its_groups_and_dashes_where_nobody_has_the_metric() -> None:
    known, unknown = (table(report({"channel": "voice"}, us), ["handle_us"]) for us in (61_000_000, None))
    assert row_of(known, "voice") == ["voice", "3", "1", "1:01.0", "1:01.0"]
    assert row_of(unknown, "voice") == ["voice", "3", "1", "-", "-"]


@pytest.mark.parametrize(("width", "tables"), [(240, 1), (80, 2), (50, 4)])
def test_a_report_that_has_no_room_goes_on_in_another_table_and_cuts_nothing(width: int, tables: int) -> None:
    given = report({"channel": "social"}, 61_000_000)
    given["groups"][0]["metrics"] = dict.fromkeys(HEADLINES, statistics(61_000_000))
    text = shown(table(given, HEADLINES, width), width)
    assert "…" not in text
    assert [line.split()[:3] for line in text.splitlines() if "1:01.0" in line] == [["social", "3", "1"]] * tables
    assert text.count("1:01.0") == 2 * len(HEADLINES)


def test_csv_has_every_statistic_and_leaves_unknown_ones_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(report({"channel": "voice", "queue": "a,b"}, None)))))
    assert rows == [
        {"channel": "voice", "queue": "a,b", "requests": "3", "short_abandons": "1", "metric": "handle_us"}
        | dict.fromkeys(STATISTICS, "")
        | {"count": "0"}
    ]


def test_hours_are_put_together_as_groups_of_one_report() -> None:
    whole = by_hour({"07": report({}, 1), "08": report({}, None)})
    assert [group["key"] for group in whole["groups"]] == [{"hour": "07"}, {"hour": "08"}]
    assert whole["group_by"] == ["hour"]
    assert metric_names(whole) == ["handle_us"]


def test_a_step_tells_of_its_standing_only_what_is_new() -> None:
    place: dict[str, Any] = {"channel": "voice", "queue": "cards", "tier": 1}
    told = folded(
        entry("ContactReceived", 0, customer={"id": "c"}, **place),
        entry("Routed", 1, agent_id="hana", **place),
        entry("Requeued", 2, reason="escalated", **{**place, "tier": 2}),
        entry("Routed", 3, agent_id="uma", **{**place, "tier": 2}),
    )
    steps = shown(drawing(told)).partition("Steps")[2].partition("Legs")[0]
    assert steps.count("queue cards") == 1
    assert steps.count("tier 1") == 1
    assert steps.count("tier 2") == 1


def test_suggestions_and_used_articles_are_told_by_their_ids() -> None:
    told = folded(
        entry("ContactReceived", 0, channel="chat", customer={"id": "c"}),
        entry("SuggestionShown", 1, suggestions=[{"article_id": "card-late"}, {"article_id": "card-lost"}]),
        entry("Resolved", 2, agent_id="hana", articles=["card-late"]),
    )
    text = shown(drawing(told))
    assert "suggestions card-late card-lost" in text
    assert "hana, articles card-late" in text
