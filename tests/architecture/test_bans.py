"""ruff's bans bite in the core and nowhere else: each is broken once on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUFF = Path(sys.executable).with_name("ruff")
BROKEN = {
    "datetime.now": "import datetime\n\nnow = datetime.datetime.now(datetime.UTC)\n",
    "date.today": "import datetime\n\ntoday = datetime.date.today()\n",
    "uuid4": "import uuid\n\nmade = uuid.uuid4()\n",
    "uuid4 by name": "from uuid import uuid4\n\nmade = uuid4()\n",
    "random": "import random\n\ndrawn = random.random()\n",
    "secrets": "import secrets\n\ndrawn = secrets.token_hex()\n",
    "time.time": "import time\n\nnow = time.time()\n",
    "time by name": "from time import time\n\nnow = time()\n",
}
CORE = [
    "libs/events/src/events/x.py",
    "services/intake/src/intake/domain/x.py",
    "services/router/src/router/domain/x.py",
    "services/escalation/src/escalation/domain/x.py",
    "services/audit/src/audit/domain/deep/x.py",
    "services/kb-search/src/kb_search/domain/x.py",
]
EDGES = [
    "libs/chassis/src/chassis/x.py",
    "services/intake/src/intake/adapters/x.py",
    "services/audit/src/audit/app/x.py",
    "services/router/src/router/consumers.py",
    "services/kb-search/src/kb_search/app/x.py",
    "services/audit/src/audit/api/x.py",
    "services/intake/src/intake/main.py",
    "tests/intake/test_x.py",
]


def found(path: str, source: str) -> set[str]:
    """The codes that ruff finds in this source, were it at this path."""
    command = [str(RUFF), "check", "--no-cache", "--output-format", "json", "--stdin-filename", path, "-"]
    done = subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    return {each["code"] for each in json.loads(done.stdout)}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", CORE)
def test_the_core_may_not_ask_a_clock_nor_draw(path: str, broken: str) -> None:
    assert "TID251" in found(path, f'"""Breaks a rule."""\n\n{BROKEN[broken]}')


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", EDGES)
def test_the_edges_may(path: str, broken: str) -> None:
    assert "TID251" not in found(path, f'"""Breaks no rule."""\n\n{BROKEN[broken]}')


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def untyped(given):\n    return given\n", "no-untyped-def"),
        ("def wrong() -> int:\n    return 'text'\n", "return-value"),
        ("x: list = []\n", "type-arg"),
        ("x = 1  # type: " + "ignore\n", "unused-ignore"),
    ],
)
def test_types_are_strict(tmp_path: Path, source: str, code: str) -> None:
    (tmp_path / "broken.py").write_text(source)
    config, cache = ROOT / "pyproject.toml", ROOT / ".mypy_cache"
    command = [RUFF.with_name("mypy"), "--config-file", config, "--cache-dir", cache, tmp_path / "broken.py"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert f"[{code}]" in done.stdout


def test_a_new_kind_of_file_in_a_service_counts_as_core() -> None:
    assert "TID251" in found("services/intake/src/intake/rules.py", BROKEN["time.time"])


@pytest.mark.parametrize("path", [CORE[0], EDGES[0]])
def test_catching_everything_needs_a_reason(path: str) -> None:
    swallowed = "try:\n    print()\nexcept Exception:\n    pass\n"
    assert "BLE001" in found(path, swallowed)
