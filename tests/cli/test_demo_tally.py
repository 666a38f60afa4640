"""The live table counts what the log says, and prints sensibly where nobody can watch."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from events.times import to_text
from throughline.demo.board import Moment, board, line
from throughline.demo.news import news
from throughline.demo.tally import Tally

TARGET_US = 1_000_000
AT = Moment("10:35", 0.25, 20_000_000, {1: (3, 9), 2: (1, 3)}, ("10:34  voice  …abc  hung up",))


def told(tally: Tally, request_id: str, *steps: tuple[str, int, dict[str, Any]]) -> None:
    for kind, at_us, data in steps:
        tally.take({"request_id": request_id, "type": kind, "occurred_at": to_text(at_us), "data": data})


@pytest.fixture
def tally() -> Tally:
    """One answered in time and resolved, one answered late and on hold, one who hung up, one who waits."""
    made = Tally(TARGET_US)
    hana = {"agent_id": "hana"}
    received = {"channel": "voice", "queue": "accounts-t1"}
    told(made, "r-1", ("ContactReceived", 0, received), ("Routed", 5, hana), ("Connected", TARGET_US, hana))
    told(made, "r-1", ("Resolved", 2_000_000, hana))
    told(made, "r-2", ("ContactReceived", 0, received), ("Routed", 5, hana), ("Connected", TARGET_US + 1, hana))
    told(made, "r-2", ("Paused", 3_000_000, {"reason": "hold", **hana}))
    told(made, "r-3", ("ContactReceived", 0, received), ("Abandoned", 900_000, {"reason": "hung up"}))
    told(made, "r-4", ("ContactReceived", 4_000_000, received | {"channel": "email"}))
    return made


def test_each_request_is_counted_where_it_stands(tally: Tally) -> None:
    row = tally.row()
    assert (row.received, row.waiting, row.offered, row.connected, row.paused, row.resolved, row.abandoned) == (
        4, 1, 0, 0, 1, 1, 1,
    )  # fmt: skip
    assert tally.row("email").received == 1
    assert tally.channels() == ["voice", "email"]


def test_the_service_level_counts_who_was_answered_in_time_among_answered_and_lost(tally: Tally) -> None:
    assert (tally.row().in_time, tally.row().answered_or_lost) == (1, 3)
    assert tally.row("email").service_level is None


def test_the_longest_wait_is_of_those_who_wait_still(tally: Tally) -> None:
    assert tally.row().oldest_us == 4_000_000
    assert tally.row("voice").oldest_us is None


def test_what_is_open_and_who_is_busy_is_known(tally: Tally) -> None:
    assert tally.still_open() == ["r-2", "r-4"]
    assert tally.busy() == {"hana"}


def test_a_reopened_request_is_open_again(tally: Tally) -> None:
    told(tally, "r-1", ("Reopened", 5_000_000, {}))
    assert "r-1" in tally.still_open()


def test_the_table_has_a_row_for_each_channel_and_one_for_all(tally: Tally) -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None, record=True)
    console.print(board(tally, AT))
    text = console.export_text()
    rows = {words[0]: words[1:] for row in text.splitlines() if (words := row.split())}
    assert rows["voice"][:7] == ["3", "0", "0", "0", "1", "1", "1"]
    assert rows["all"] == ["4", "1", "0", "0", "1", "1", "1", "33%", "16.0", "s"]
    assert "tier 1: 3 of 9 there, tier 2: 1 of 3 there" in text
    assert "hung up" in text


def test_the_table_fits_into_eighty_columns(tally: Tally) -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None, record=True)
    console.print(board(tally, AT, width=80))
    text = console.export_text()
    rows = {words[0]: words[1:] for row in text.splitlines() if (words := row.split())}
    assert rows["all"] == ["4", "1", "0", "0", "1", "1", "1", "33%"]
    assert {"contacts", "paused", "abandoned"} <= set(text.split())


def test_a_line_says_the_same(tally: Tally) -> None:
    assert line(tally, AT) == (
        "10:35  contacts 4: waiting 1, offered 0, connected 0, paused 1, resolved 1, abandoned 1, service level 33%"
    )


def test_before_anything_has_happened_there_is_no_service_level() -> None:
    assert line(Tally(TARGET_US), AT).endswith("service level -")


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("Escalated", {"to_tier": 2}, "escalated to tier 2"),
        ("OfferClosed", {"reason": "declined", "agent_id": "hana-t1"}, "Hana declined the offer"),
        ("Requeued", {"reason": "agent_lost", "agent_id": "bruno-2-t1"}, "Bruno-2 is gone, the customer waits again"),
        ("Transferred", {"to": {"queue": "new-customers-t1"}}, "passed on to new-customers"),
        ("Requeued", {"reason": "escalated", "tier": 2}, None),
        ("Connected", {"agent_id": "hana-t1"}, None),
    ],
)
def test_what_is_worth_a_line_is_told_in_a_few_words(kind: str, data: dict[str, Any], said: str | None) -> None:
    found = news({"type": kind, "request_id": "0199-abcdef", "data": data}, "voice", "10:35")
    assert found == (said and f"10:35  voice  …abcdef  {said}")
