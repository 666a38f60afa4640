"""Which events of a history are missing, as far as the numbers of their sources tell."""

from collections.abc import Iterable
from typing import Final

from events.lifecycle.entry import Entry

MOST_NAMED: Final = 1_000
"""How many missing events are named at most, lest one absurd number in a foreign record fill the memory."""


def missing(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """(source, sequence) of each gap below a source's highest known number, sorted; the first `MOST_NAMED` at most.

    A source counts from 1 without gaps. What may lie beyond its highest known number is not guessed at.
    """
    known: dict[str, set[int]] = {}
    for entry in entries:
        sequence = entry.sequence
        if sequence is None or sequence <= 0:
            continue
        if entry.source in known:
            known[entry.source].add(sequence)
        else:
            known[entry.source] = {sequence}
    named: list[tuple[str, int]] = []
    for source in sorted(known):
        if max(known[source]) > len(known[source]):
            named += _between(source, sorted(known[source]), MOST_NAMED - len(named))
    return named


def _between(source: str, numbers: list[int], most: int) -> list[tuple[str, int]]:
    named: list[tuple[str, int]] = []
    before = 0
    for number in numbers:
        named += [(source, absent) for absent in range(before + 1, min(number, before + 1 + most - len(named)))]
        before = number
    return named
