"""Lists as the contract has them: `limit`, an opaque `cursor`, `{"items", "next_cursor"}`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import orjson

from chassis.errors import Invalid

DEFAULT_LIMIT: Final = 50
MOST: Final = 1_000
_LONGEST_CURSOR: Final = 4_096

Position = int | str | None
T = TypeVar("T")


def limit_of(text: str | None, *, default: int = DEFAULT_LIMIT, most: int = MOST) -> int:
    """Read `?limit=`: a decimal from 1 to `most`; Invalid naming the parameter otherwise."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise Invalid([{"field": "limit", "reason": f"must be a number from 1 to {most}"}])
    return int(text)


def encode_cursor(position: Sequence[Position]) -> str:
    """Make an opaque cursor of a place in an order. It is not secret and not signed: it can only name a place."""
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).rstrip(b"=").decode()


def decode_cursor(text: str | None, *kinds: type | tuple[type, ...]) -> list[Any] | None:
    """Read `?cursor=` back; None where it was not sent.

    `kinds` gives each part's type (`int`, `str`, or a tuple with `type(None)`); with no kinds any list is taken.
    Raises Invalid for what this service never gave out.
    """
    if text is None:
        return None
    position = _unpack(text)
    if not isinstance(position, list) or (kinds and not _fits(position, kinds)):
        raise _not_ours()
    return position


def page(
    rows: Sequence[T], limit: int, position_of: Callable[[T], Sequence[Position]]
) -> tuple[Sequence[T], str | None]:
    """Cut `rows` (read with `limit + 1`) to a page and the cursor of the next one, None at the end."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    return kept, encode_cursor(position_of(kept[-1]))


def _unpack(text: str) -> Any:
    if len(text) > _LONGEST_CURSOR or not text.isascii():
        raise _not_ours()
    try:
        return orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise _not_ours() from error


def _fits(position: list[Any], kinds: Sequence[type | tuple[type, ...]]) -> bool:
    if len(position) != len(kinds):
        return False
    pairs = zip(position, kinds, strict=True)
    return all(isinstance(part, kind) and not isinstance(part, bool) for part, kind in pairs)


def _not_ours() -> Invalid:
    return Invalid([{"field": "cursor", "reason": "is not a cursor of this list; take one from next_cursor"}])
