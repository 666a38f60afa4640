"""Remembers which batches of a file are in, so that an interrupted import does not send them again.

One JSON line is appended per answered batch; a last line torn by a kill is ignored. The file beside the imported one
belongs to one target: another stack, or the same address set up anew with another token, begins from the start. It only
saves work: sending a batch again changes nothing, since intake knows its events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from throughline.batches import Batch
from throughline.stack import Stack


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that intake did not take: its number in the file, what is wrong by field, and the line."""

    line: int
    errors: tuple[dict[str, str], ...]
    text: str

    def as_json(self) -> dict[str, Any]:
        """The row of the refused lines' file."""
        return {"line": self.line, "errors": list(self.errors), "text": self.text}


@dataclass(slots=True)
class Totals:
    """What became of the lines, this run's and earlier ones' together."""

    accepted: int = 0
    duplicate: int = 0
    skipped: int = 0  # answered in an earlier run, not sent again
    refused: list[Refusal] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """All lines answered so far."""
        return self.accepted + self.duplicate + len(self.refused)

    def add(self, accepted: int, duplicate: int, refused: Iterable[Refusal]) -> None:
        """Counts one batch."""
        self.accepted += accepted
        self.duplicate += duplicate
        self.refused += refused


class Ledger:
    """The batches that were answered. Without a path (standard input) it remembers nothing beyond the run."""

    def __init__(self, path: Path | None, target: str) -> None:
        self.path = path
        self.totals = Totals()
        self._target = target
        self._done: dict[tuple[int, str], dict[str, Any]] = {}

    def open(self, *, afresh: bool = False) -> None:
        """Reads what an earlier run left; with `afresh`, or where it was for another target, begins anew."""
        if self.path is None:
            return
        head, *rows = _rows(self.path) or [{}]
        if afresh or head.get("target") != self._target:
            self.path.write_text(json.dumps({"target": self._target}) + "\n")
            return
        self._done = {(row["at"], row["digest"]): row for row in rows}
        _mend(self.path, [head, *rows])

    def knows(self, batch: Batch) -> bool:
        """Whether the batch was answered in an earlier run; then its answers are counted."""
        row = self._done.get((batch.at, batch.digest))
        if row is None:
            return False
        refused = [Refusal(each["line"], tuple(each["errors"]), each["text"]) for each in row["refused"]]
        self.totals.add(row["accepted"], row["duplicate"], refused)
        self.totals.skipped += len(batch.numbers)
        return True

    def note(self, batch: Batch, accepted: int, duplicate: int, refused: list[Refusal]) -> None:
        """Counts an answered batch and keeps it: once this returns, a kill does not forget it."""
        self.totals.add(accepted, duplicate, refused)
        if self.path is None:
            return
        row = {"at": batch.at, "digest": batch.digest, "accepted": accepted, "duplicate": duplicate}
        row["refused"] = [each.as_json() for each in refused]
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def close(self) -> None:
        """Forgets: everything is in, and the same import later is to be sent again."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def target_of(stack: Stack) -> str:
    """Names the receiving stack without giving the token away."""
    return f"{stack.url('intake')} {hashlib.sha256((stack.token or '').encode()).hexdigest()[:16]}"


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # torn by a kill: it and what follows were not counted as answered
    return [row for row in rows if isinstance(row, dict)]


def _mend(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes the whole rows alone, so that the next one does not join a torn line."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fresh.replace(path)
