"""`python -m events write|check`: what it makes, what it refuses, and that the repo is up to date."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from events import table
from events.__main__ import main
from events.catalogue import CATALOGUE

REPO = Path(__file__).resolve().parents[2]
SCHEMA = "schemas/FeedbackReceived.v1.json"
EXAMPLE = "examples/FeedbackReceived.v1.json"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for folder in ("schemas", "examples"):
        shutil.copytree(REPO / "libs" / "events" / folder, tmp_path / "library" / folder)
    (tmp_path / "docs").mkdir()
    for name in ("events.md", "asyncapi.json"):
        shutil.copy(REPO / "docs" / name, tmp_path / "docs")
    return tmp_path / "library"


def run(what: str, library: Path) -> int:
    return main([what], library, library.parent / "docs")


def edit(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changed, indent=2, ensure_ascii=False) + "\n")


def test_the_repo_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0, capsys.readouterr().err


def test_everything_is_made_where_nothing_is(library: Path) -> None:
    shutil.rmtree(library)
    (library.parent / "docs" / "asyncapi.json").unlink()
    assert run("check", library) == 1
    assert run("write", library) == 0
    assert run("check", library) == 0
    assert len(list((library / "schemas").iterdir())) == len(CATALOGUE)
    assert (library / EXAMPLE).read_text() == (REPO / "libs/events" / EXAMPLE).read_text()


def test_what_is_up_to_date_is_written_to_the_same_bytes(library: Path) -> None:
    before = {path: path.read_bytes() for path in library.rglob("*.json")}
    assert run("write", library) == 0
    assert {path: path.read_bytes() for path in library.rglob("*.json")} == before


def test_a_breaking_change_is_refused_and_nothing_is_written(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The committed schema asks for less than the model does: as if a member had become required."""
    edit(library / SCHEMA, required=[])
    before = (library / SCHEMA).read_text()
    assert run("write", library) == 1
    assert "FeedbackReceived.v1.json: #/required: score became required" in capsys.readouterr().err
    assert (library / SCHEMA).read_text() == before


def test_other_words_are_written(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(library / SCHEMA, description="Other words.")
    assert run("check", library) == 1
    assert "FeedbackReceived.v1.json: is not up to date" in capsys.readouterr().err
    assert run("write", library) == 0
    assert run("check", library) == 0


def test_an_example_that_is_there_is_never_written_over(library: Path) -> None:
    edit(library / EXAMPLE, key="another")
    before = (library / EXAMPLE).read_text()
    assert run("write", library) == 0
    assert (library / EXAMPLE).read_text() == before


def test_an_example_that_is_read_otherwise_fails_the_check(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(library / EXAMPLE, data={"score": 1})
    assert run("check", library) == 1
    assert "FeedbackReceived.v1.json: is read otherwise" in capsys.readouterr().err


def test_a_stray_file_fails_the_check(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (library / "schemas" / "Teleported.v1.json").write_text("{}")
    assert run("check", library) == 1
    assert "Teleported.v1.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["draw"], ["write", "check"]])
def test_anything_else_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "write|check" in capsys.readouterr().err


def test_the_page_has_a_row_for_every_event() -> None:
    page = (REPO / "docs" / "events.md").read_text()
    assert table.redrawn(page) == page
    assert all(f"\n| {name} |" in page for name in CATALOGUE)


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        table.redrawn("# Events")
