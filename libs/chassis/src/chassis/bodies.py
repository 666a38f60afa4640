"""What no JSON body may hold: NUL characters, lone surrogates, endless nesting."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pydantic_core

from chassis.errors import Invalid

MOST_LEVELS: Final = 64
# The six characters \u0000, where the backslash is not itself escaped.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_json(raw: bytes) -> None:
    """Refuse NUL characters and more than 64 levels, in a few hundred nanoseconds where there is nothing to find.

    Raises Invalid. Malformed JSON, bad UTF-8 and lone surrogates are left to the parser, which refuses them all.
    """
    if b"\\u0000" in raw and _NUL.search(raw):
        raise Invalid([{"field": _where_nul(raw), "reason": "must not hold NUL characters"}])
    if raw.count(b"[") + raw.count(b"{") > MOST_LEVELS and _depth(raw) > MOST_LEVELS:
        raise Invalid([{"field": "body", "reason": f"is nested deeper than {MOST_LEVELS} levels"}])


def parse_json(raw: bytes) -> Any:
    """`check_json`, then the parsed value. Raises Invalid for malformed JSON, saying where."""
    check_json(raw)
    try:
        return pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Invalid([{"field": "body", "reason": f"is not JSON: {error}"}]) from error


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _where_nul(raw: bytes) -> str:
    try:
        value = pydantic_core.from_json(raw)
    except ValueError:
        return "body"
    return next(_paths_with_nul(value, ()), "body")


def _paths_with_nul(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield ".".join(path) or "body"
    elif isinstance(value, dict):
        for name, member in value.items():
            if "\0" in name:
                yield ".".join(path) or "body"
            yield from _paths_with_nul(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _paths_with_nul(member, (*path, str(index)))
