"""`python -m events write` renews the files that are made from the catalogue; `check` says which are not up to date."""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from events import asyncapi, table
from events.catalogue import CATALOGUE
from events.compatibility import breaks
from events.examples import data_of, example_of
from events.schemas import schema_of

_LIBRARY: Final = Path(__file__).resolve().parents[2]
_REPO: Final = _LIBRARY.parents[1]
_USAGE: Final = "python -m events write|check"


def main(arguments: list[str], library: Path = _LIBRARY, docs: Path = _REPO / "docs") -> int:
    """The exit code: 0 where all is well, 1 where a file is out of date or must not be changed, 2 for wrong usage."""
    if arguments not in (["write"], ["check"]):
        print(_USAGE, file=sys.stderr)
        return 2
    wrong = list(_refused(library))
    if arguments == ["write"] and not wrong:
        for path, text in _wanted(library, docs).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    wrong += [f"{path.name}: is not up to date, run `python -m events write`" for path in _outdated(library, docs)]
    wrong += _unread(library)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _wanted(library: Path, docs: Path) -> dict[Path, str]:
    """All files by path. An example that is there stays as it is: it is what was on the wire once."""
    wanted = {docs / "asyncapi.json": _json(asyncapi.document(version("throughline-events")))}
    page = docs / "events.md"
    wanted[page] = table.redrawn(page.read_text())
    for kind in CATALOGUE.values():
        name = f"{kind.name}.v{kind.version}.json"
        wanted[library / "schemas" / name] = _json(schema_of(kind))
        example = library / "examples" / name
        wanted[example] = example.read_text() if example.exists() else _json(example_of(kind))
    return wanted


def _refused(library: Path) -> Iterator[str]:
    """Schemas that would change in a way that only a new version of the type may."""
    for kind in CATALOGUE.values():
        path = library / "schemas" / f"{kind.name}.v{kind.version}.json"
        if path.exists():
            found = breaks(json.loads(path.read_text()), schema_of(kind))
            yield from (f"{path.name}: {line}; this needs a new version of {kind.name}" for line in found)


def _outdated(library: Path, docs: Path) -> list[Path]:
    wanted = _wanted(library, docs)
    missing = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    known = {f"{kind.name}.v{n}.json" for kind in CATALOGUE.values() for n in range(1, kind.version + 1)}
    there = [path for folder in ("schemas", "examples") for path in (library / folder).glob("*")]
    stray = [path for path in there if path.name not in known]
    older = [library / folder / name for folder in ("schemas", "examples") for name in known]
    return [*missing, *stray, *(path for path in older if path not in wanted and not path.exists())]


def _unread(library: Path) -> Iterator[str]:
    """Examples, of every version there was, that today's reader does not read as it should."""
    for path in sorted((library / "examples").glob("*.json")):
        example = json.loads(path.read_text())
        if data_of(example) != example["data"]:
            yield f"{path.name}: is read otherwise than it was"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
