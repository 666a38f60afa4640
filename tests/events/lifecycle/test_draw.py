"""The page on the lifecycle shows the table and the registry as they are."""

from pathlib import Path

import pytest

from events.lifecycle.__main__ import main
from events.lifecycle.draw import BEGIN, END, drawing, redrawn
from events.lifecycle.metrics import CYCLE_METRICS, REPORTED
from events.lifecycle.table import ORDER, TRANSITIONS

PAGE = Path(__file__).parents[3] / "docs" / "lifecycle.md"


def test_the_page_in_the_docs_is_current() -> None:
    assert main(["check", str(PAGE)]) == 0, "python -m events.lifecycle write"


def test_every_move_is_an_arrow_and_every_type_a_row() -> None:
    drawn = drawing()
    for state, moves in TRANSITIONS.items():
        for type_, to in moves.items():
            arrows = [line for line in drawn.splitlines() if line.strip().startswith(f"{state or '[*]'} --> {to}:")]
            assert len(arrows) == 1
            assert type_ in arrows[0].split(": ")[1].split(", ")
    for type_ in ORDER:
        assert f"\n| {type_} |" in drawn


def test_every_metric_is_a_row() -> None:
    for metric in (*REPORTED, *CYCLE_METRICS):
        assert f"| `{metric.name}` | {metric.version} | {metric.start} | {metric.stop} |" in drawing()


def test_a_page_out_of_date_is_refused_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n", encoding="utf-8")
    assert main(["check", str(page)]) == 1
    assert main(["write", str(page)]) == 0
    assert main(["check", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "stale" not in text


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        redrawn("no markers")


def test_a_command_that_is_not_known_is_answered_with_the_usage() -> None:
    assert main([]) == main(["paint"]) == main(["write", "a", "b"]) == 2
