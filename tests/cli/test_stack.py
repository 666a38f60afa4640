"""Finding the stack that is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from throughline.stack import find
from throughline.trouble import Usage

FACTS = {"intake": "http://127.0.0.1:8001", "audit": "http://127.0.0.1:8004", "kafka": "127.0.0.1:8092", "token": "t"}
NONE: dict[str, str | None] = {"intake": None, "audit": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".run").mkdir()
    (tmp_path / ".run/stack.json").write_text(json.dumps(FACTS | {"pids": {"intake": 1}}))
    return tmp_path


def test_the_default_is_the_run_folders_stack(folder: Path) -> None:
    stack = find(None, NONE, {}, cwd=folder)
    assert stack.services == {"intake": FACTS["intake"], "audit": FACTS["audit"]}
    assert stack.token == "t"
    assert stack.run_dir == folder / ".run"


def test_the_run_folder_may_be_another(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/stack.json").write_text(json.dumps(FACTS | {"token": "u"}))
    assert find(None, NONE, {"THROUGHLINE_RUN_DIR": "other"}, cwd=folder).token == "u"


def test_urls_on_the_command_line_win(folder: Path) -> None:
    stack = find(None, NONE | {"audit": "http://elsewhere/"}, {"THROUGHLINE_TOKEN": "mine"}, cwd=folder)
    assert stack.url("audit") == "http://elsewhere"
    assert stack.url("intake") == FACTS["intake"]
    assert stack.token == "mine"


def test_no_stack_file_is_needed_where_urls_are_given(tmp_path: Path) -> None:
    stack = find(None, NONE | {"audit": "http://elsewhere"}, {}, cwd=tmp_path)
    assert stack.token is None
    assert stack.run_dir is None
    with pytest.raises(Usage, match="intake"):
        stack.url("intake")


def test_a_token_of_the_local_stack_does_not_go_to_a_foreign_address(folder: Path) -> None:
    stack = find(None, {"intake": "http://foreign.test", "audit": "http://foreign.test"}, {}, cwd=folder)
    assert stack.token is None


def test_a_missing_stack_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Usage) as caught:
        find(None, NONE, {}, cwd=tmp_path)
    assert "make up" in caught.value.remedy


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_stack_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stack.json"
    path.write_text(text)
    with pytest.raises(Usage):
        find(path, NONE, {}, cwd=tmp_path)
