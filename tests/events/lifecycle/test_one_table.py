"""What may follow what is a row of the one table, and never a condition elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.lifecycle import ORDER, State

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "libs/events/src/events/lifecycle/table.py"
LIFECYCLE = sorted(set(TABLE.parent.glob("*.py")) - {TABLE})
# The command line is left out: as a client of the API it sees states as any front end does, and moves nothing.
WITHIN = [
    *ROOT.glob("libs/events/src/**/*.py"),
    *ROOT.glob("libs/chassis/src/**/*.py"),
    *ROOT.glob("services/*/src/**/*.py"),
]
ELSEWHERE = sorted(path for path in WITHIN if path != TABLE)
NO_RULES: dict[str, str] = {
    "services/escalation/src/escalation/domain/fold.py": "in which pauses a promise's clock stands still",
    "services/router/src/router/adapters/moving.py": "which queues to wake: a waiting request may be matched now",
    "services/router/src/router/domain/timers.py": "whether what a deadline was about still stands",
}
"""Modules that may ask where a request stands, and what they ask for. What they state is folded with the table."""


def conditions(source: str, words: frozenset[str]) -> Iterator[int]:
    """Lines on which something is compared or matched with one of `words`, or with a member of `State`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            compared = [node.value]
        else:
            continue
        inner = [part for side in compared for part in ast.walk(side)]
        if any(is_one_of(part, words) for part in inner):
            yield compared[0].lineno


def is_one_of(part: ast.AST, words: frozenset[str]) -> bool:
    if isinstance(part, ast.Attribute):
        return isinstance(part.value, ast.Name) and part.value.id == "State"
    return isinstance(part, ast.Constant) and part.value in words


STATES = frozenset(State)
TYPES = frozenset(ORDER)


@pytest.mark.parametrize("path", LIFECYCLE, ids=lambda path: path.name)
def test_no_module_of_the_lifecycle_asks_for_a_state_or_a_type(path: Path) -> None:
    assert list(conditions(path.read_text(encoding="utf-8"), STATES | TYPES)) == []


def test_no_library_and_no_service_asks_for_a_state_but_those_that_make_no_rule_of_it() -> None:
    lines = {
        str(path.relative_to(ROOT)): list(conditions(path.read_text(encoding="utf-8"), STATES)) for path in ELSEWHERE
    }
    assert {path: found for path, found in lines.items() if found and path not in NO_RULES} == {}
    assert {path for path in NO_RULES if not lines.get(path)} == set(), "these ask for no state any more"
    assert len(lines) > len(LIFECYCLE)


@pytest.mark.parametrize(
    "forged",
    [
        "if state == 'waiting': pass",
        "ok = before.state is State.OFFERED",
        "if event.type in ('Routed', 'Connected'): pass",
        "while not (a and x.state != State.PAUSED): pass",
        "match state:\n    case 'resolved': pass",
        "match state:\n    case State.ABANDONED: pass",
    ],
)
def test_a_rule_written_elsewhere_is_found(forged: str) -> None:
    assert list(conditions(forged, STATES | TYPES))


def test_what_is_no_rule_is_let_be() -> None:
    harmless = "kinds = {(State.PAUSED, 'hold')}\nif reason == 'declined': pass\nx = {'Routed': step}[type_]"
    assert list(conditions(harmless, STATES | TYPES)) == []
