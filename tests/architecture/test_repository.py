"""What every file of the repository keeps to."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 350
MEMBERS = [
    *ROOT.glob("libs/*/pyproject.toml"),
    *ROOT.glob("services/*/pyproject.toml"),
    ROOT / "deploy/local/pyproject.toml",
]
# Written so that these lines do not match themselves.
MACHINE_PATH = re.compile(r"(?<![\w.}-])/(?:work|root|farm|home)/\w")
REGISTRY = re.compile(r"https?://(?:[\w-]+\.)*(?:pypi|pythonhosted|maven|sonatype|npmjs)\.\w+")
EMPTY_NAME = re.compile(r"^\s*class \w*(?:Manager|Helper|Util|Utils|Info|Data)\b", re.MULTILINE)
SILENCED = re.compile(r"pytest\.(?:skip|xfail)\(|mark\.(?:skip|skipif|xfail)\b")
REASONLESS = re.compile(r"#\s*(?:noqa|type: ignore)(?::\s*[A-Z]+\d+)?(?:\[[\w-]+\])?\s*$")


def tracked(*patterns: str) -> list[Path]:
    """Committed or about to be, and still there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        if path.suffix not in {".lock", ".hashes", ".parquet", ".png"}:
            yield path.relative_to(ROOT), path.read_text(errors="replace")


def test_no_source_file_is_longer_than_one_thought() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tracked("*.py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry's address"])
def test_nothing_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    assert [(str(path), found.group()) for path, text in texts() for found in pattern.finditer(text)] == []


def test_no_class_has_a_name_that_says_nothing() -> None:
    assert [path.name for path in tracked("*.py") if EMPTY_NAME.search(path.read_text())] == []


def test_no_test_is_silenced() -> None:
    others = [path for path in tracked("tests/*.py") if path != Path(__file__)]
    assert [path.name for path in others if SILENCED.search(path.read_text())] == []


def test_an_exemption_from_a_check_has_its_reason_beside_it() -> None:
    found = [f"{path.relative_to(ROOT)}: {line}" for path in tracked("*.py") for line in exempt_without_reason(path)]
    assert found == []


def exempt_without_reason(path: Path) -> Iterator[str]:
    """The lines that switch a check off and say why neither there nor in a comment on the line before or after."""
    lines = ["", *path.read_text().splitlines(), ""]
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        explained = any(neighbour.lstrip().startswith("#") for neighbour in (before, after))
        if REASONLESS.search(line) and not explained:
            yield line.strip()


def test_every_module_opens_with_its_purpose() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py")
        if (text := path.read_text().strip()) and not text.startswith(('"""', "#!", 'r"""'))
    ]
    assert silent == []


def test_the_lock_names_no_address_and_the_form_that_does_is_not_committed() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
    committed = subprocess.run(["git", "ls-files", "uv.lock"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert committed.stdout == ""


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.parent.name)
def test_the_lock_has_what_each_member_asks_for(member: Path) -> None:
    locked = locked_versions()
    asked = [Requirement(line) for line in tomllib.loads(member.read_text())["project"].get("dependencies", [])]
    foreign = [each for each in asked if not each.name.startswith("throughline-")]
    unmet = [str(each) for each in foreign if not is_met(each, locked)]
    assert unmet == [], "`make lock` renews the lock"


def is_met(asked: Requirement, locked: dict[str, Version]) -> bool:
    version = locked.get(canonicalize_name(asked.name))
    return version is not None and version in asked.specifier


def locked_versions() -> dict[str, Version]:
    pins = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    return {canonicalize_name(name): Version(version) for name, version in pins}


@pytest.mark.parametrize(
    ("pattern", "broken"),
    [
        (MACHINE_PATH, "open('/" + "root/secret')"),
        (MACHINE_PATH, "see /" + "work/main"),
        (REGISTRY, "https://" + "pypi.org/simple"),
        (EMPTY_NAME, "class Contact" + "Manager:"),
        (EMPTY_NAME, "    class Request" + "Info(Base):"),
        (SILENCED, "@pytest.mark" + ".skip"),
        (REASONLESS, "x = 1  # " + "noqa: E501"),
        (REASONLESS, "x = 1  # type" + ": ignore[misc]"),
    ],
)
def test_each_pattern_finds_what_it_is_for(pattern: re.Pattern[str], broken: str) -> None:
    assert pattern.search(broken)
