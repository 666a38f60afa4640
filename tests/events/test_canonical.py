"""The same content always hashes the same, and other content never does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.canonical import canonical, content_hash, content_id

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.dictionaries(st.text("abcé", max_size=3), JSON, max_size=5)


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        entries = [(key, shuffled(inner, rng)) for key, inner in value.items()]
        rng.shuffle(entries)
        return dict(entries)
    return [shuffled(inner, rng) for inner in value] if isinstance(value, list) else value


@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_changes_nothing(members: dict[str, Any], rng: random.Random) -> None:
    assert canonical(shuffled(members, rng)) == canonical(members)


@given(MEMBERS)
def test_the_canonical_spelling_holds_the_whole_content(members: dict[str, Any]) -> None:
    assert json.loads(canonical(members)) == members


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 2**64}, {"n": 2**64 + 1}),
        ({"n": 9007199254740992}, {"n": 9007199254740993}),
        ({"n": 10**40}, {"n": float(10**40)}),
        ({"n": 1}, {"n": 1.0}),
        ({"n": 1}, {"n": True}),
        ({"n": None}, {}),
        ({"a": "e\u0301"}, {"a": "\u00e9"}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
    ],
)
def test_content_that_differs_hashes_differently(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert content_hash(one) != content_hash(other)


def test_a_content_id_is_a_uuid_of_version_8() -> None:
    made = content_id({"a": 1})
    assert (made.version, made.variant) == (8, "specified in RFC 4122")


def test_a_content_id_never_changes() -> None:
    """Imports that were taken in years ago must still be known as the same ones."""
    line: dict[str, Any] = {
        "type": "Resumed",
        "request_id": "r",
        "occurred_at": "2001-01-01T00:00:00Z",
        "data": {},
        "causation_id": None,
    }
    assert str(content_id(line)) == "cf6199d9-72b9-8875-9ffb-666334d4753c"
