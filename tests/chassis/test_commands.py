"""The inbound half of a command: which keys can be kept, what a use of one is, which members are taken."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from chassis.commands import Use, fault_in_key, key_of, members_of, use_of, validated
from chassis.errors import Invalid
from events.base import Fact
from events.canonical import content_hash


class Decline(Fact):
    """Stands for a command's model."""

    agent_id: str
    leg: int | None = None


def asked(*keys: bytes, path: str = "/v1/requests/r-1/decline") -> Request:
    """A POST with these Idempotency-Key headers."""
    headers = [(b"host", b"router"), *((b"idempotency-key", key) for key in keys)]
    return Request({"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""})


@pytest.mark.parametrize("key", ["k", "k" * 255, "ключ", " ", "a\tb"])
def test_any_text_of_up_to_255_characters_is_a_key(key: str) -> None:
    assert fault_in_key(key) is None


@pytest.mark.parametrize(
    ("key", "says"), [("", "empty"), ("k" * 256, "at most 255"), ("a\x00b", "NUL"), ("a\ud800b", "surrogate")]
)
def test_a_key_that_no_database_keeps_is_refused_with_the_reason(key: str, says: str) -> None:
    assert says in str(fault_in_key(key))


def test_a_use_counts_in_its_method_and_path_for_the_members_sent() -> None:
    members = {"agent_id": "anna"}
    assert use_of(asked(b"k-1"), members) == Use("POST /v1/requests/r-1/decline", "k-1", content_hash(members))
    assert use_of(asked(), members) is None


@pytest.mark.parametrize(("sent", "read"), [("ключ".encode(), "ключ"), (b"caf\xe9", "café")])
def test_a_key_is_read_as_utf_8_and_where_it_is_not_as_latin_1(sent: bytes, read: str) -> None:
    assert key_of(asked(sent)) == read


@pytest.mark.parametrize(("keys", "says"), [((b"a", b"b"), "once"), ((b"",), "empty")])
def test_two_keys_or_an_empty_one_are_refused_by_the_headers_name(keys: tuple[bytes, ...], says: str) -> None:
    with pytest.raises(Invalid) as refused:
        key_of(asked(*keys))
    assert [error["field"] for error in refused.value.errors] == ["Idempotency-Key"]
    assert says in refused.value.errors[0]["reason"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b'{"a": 1', b'{"a": "\\u0000"}'])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        members_of(raw)


def test_members_become_the_model_and_each_wrong_one_is_named() -> None:
    assert validated(Decline, members_of(b'{"agent_id": "anna", "leg": 2}')) == Decline(agent_id="anna", leg=2)
    with pytest.raises(Invalid) as refused:
        validated(Decline, {"leg": "2", "who": 1})
    assert {error["field"] for error in refused.value.errors} == {"agent_id", "leg", "who"}
