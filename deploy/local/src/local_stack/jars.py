"""Kafka's jars: fetched once by their coordinates, and never believed without their SHA-256 sums."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from local_stack.errors import Failed
from local_stack.files import replace_file
from local_stack.layout import JARS, JARS_LOCK

_THREADS = 8
_ATTEMPTS = 3
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    sha256: str
    group: str
    artifact: str
    version: str

    def under(self, folder: Path) -> Path:
        name = f"{self.artifact}-{self.version}.jar"
        return folder.joinpath(*self.group.split("."), self.artifact, self.version, name)


def locked_jars(lock: Path = JARS_LOCK) -> list[Jar]:
    lines = (line.split() for line in lock.read_text().splitlines() if line.strip())
    return [Jar(sha256, *coordinates.split(":")) for sha256, coordinates in lines]


def class_path(folder: Path = JARS) -> str:
    """What Java is given. Raises Failed where a jar is not there: nothing is fetched at run time."""
    paths = [jar.under(folder) for jar in locked_jars()]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise Failed(f"{len(missing)} of Kafka's jars are not in {folder} ({missing[0]}, …); `make up` fetches them")
    return ":".join(map(str, paths))


def missing(folder: Path = JARS) -> bool:
    """Whether there is anything to fetch, or to compare anew; takes a millisecond."""
    seen = _Seen(folder / "compared.json")
    return not all(seen.good(jar, jar.under(folder)) for jar in locked_jars())


def fetch(folder: Path = JARS, lock: Path = JARS_LOCK, say: Callable[[int, int], None] | None = None) -> int:
    """Brings every jar of the lock into the folder; returns how many were fetched. Raises Failed.

    A jar whose size and time are still those of its last comparison is not read again.
    """
    jars = locked_jars(lock)
    seen = _Seen(folder / "compared.json")
    wanted = [jar for jar in jars if not seen.good(jar, jar.under(folder))]
    with ThreadPoolExecutor(_THREADS) as threads:
        for done, work in enumerate(as_completed([threads.submit(_fetch, jar, folder) for jar in wanted]), start=1):
            work.result()
            if say is not None:
                say(len(jars) - len(wanted) + done, len(jars))
    seen.write(jars, folder)
    return len(wanted)


def _fetch(jar: Jar, folder: Path) -> None:
    """An interrupted download leaves a short jar, which jgo takes for good ever after: so its sum decides."""
    path = jar.under(folder)
    if path.exists() and _sum(path) == jar.sha256:
        return
    problem = ""
    for _ in range(_ATTEMPTS):
        path.unlink(missing_ok=True)
        problem = _download(jar, folder)
        if not problem:
            return
    path.unlink(missing_ok=True)
    raise Failed(f"{jar.group}:{jar.artifact}:{jar.version} cannot be had: {problem}")


def _download(jar: Jar, folder: Path) -> str:
    """Empty where it worked, else what went wrong."""
    # Imported here: it takes half a second, which nobody who just starts a server should wait for.
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, timeout=_TIMEOUT_S)
    try:
        found = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    got = _sum(Path(found))
    return "" if got == jar.sha256 else f"its SHA-256 is {got}, the lock says {jar.sha256}"


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Seen:
    """Which file was compared with which sum, by size and time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._entries: dict[str, list[int]] = json.loads(path.read_text())
        except (OSError, ValueError):
            self._entries = {}

    def good(self, jar: Jar, path: Path) -> bool:
        return path.exists() and self._entries.get(jar.sha256) == _look(path)

    def write(self, jars: Sequence[Jar], folder: Path) -> None:
        entries = {jar.sha256: _look(jar.under(folder)) for jar in jars}
        if entries != self._entries:
            replace_file(self._path, json.dumps(entries), mode=0o644)


def _look(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def main() -> None:
    """What the set-up calls: fetches what is missing, with the count shown."""
    try:
        fetched = fetch(say=_show)
    except Failed as failed:
        sys.exit(f"\n{failed}")
    print(f"\r  Kafka's jars: {fetched} fetched and compared")


def _show(done: int, of: int) -> None:
    if sys.stdout.isatty():
        print(f"\r  Kafka's jars: {done} of {of}", end="", flush=True)


if __name__ == "__main__":
    main()
