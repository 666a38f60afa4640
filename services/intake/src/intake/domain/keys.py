"""The idempotency rule: one key, one effect, and the first answer for ever after."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a key: `scope` is the method and path that it counts in, `hash` stands for the members sent."""

    scope: str
    key: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """What is stored under a key: the hash that came with it first, and the answer that was given."""

    hash: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Fresh:
    """The key was never used: do it."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The key was used for the same content: give the first answer again."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Reused:
    """The key was used for other content: refuse."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The first use of the key is still being worked on: nothing can be said yet."""


Verdict = Fresh | Duplicate | Reused | Busy


def judge(use: Use, taken: Taken | None, *, in_flight: bool) -> Verdict:
    """What a use of a key comes to. A stored answer counts before the mark in flight: it is final, the mark is not."""
    if taken is None:
        return Busy() if in_flight else Fresh()
    return Duplicate(taken.answer) if taken.hash == use.hash else Reused()
