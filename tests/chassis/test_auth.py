"""Tokens are known by their digest alone."""

import hashlib

import pytest

from chassis.auth import Tokens
from chassis.errors import Forbidden, Unauthorized
from chassis.settings import Token

TOKENS = Tokens(
    {
        hashlib.sha256(b"reader").hexdigest(): Token(name="desk", scopes=frozenset({"audit:read"})),
        hashlib.sha256(b"all").hexdigest(): Token(name="ops", scopes=frozenset({"*"})),
    }
)


def test_a_known_token_has_a_name_and_scopes() -> None:
    for header in (b"Bearer reader", b"bearer reader", b"BEARER  reader "):
        assert TOKENS.principal(header).name == "desk"


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer Reader",
        b"Basic reader",
        b"reader",
        b"Bearer " + hashlib.sha256(b"reader").hexdigest().encode(),
        b"Bearer " + b"x" * 5_000,
    ],
)
def test_anything_else_is_unauthorized(header: bytes | None) -> None:
    with pytest.raises(Unauthorized):
        TOKENS.principal(header)


def test_a_scope_is_needed_by_its_whole_name_or_the_star() -> None:
    reader, ops = TOKENS.principal(b"Bearer reader"), TOKENS.principal(b"Bearer all")
    assert reader.may("audit:read")
    for scope in ("audit", "audit:read:all", "personal:read", "*"):
        with pytest.raises(Forbidden):
            reader.must(scope)
    ops.must("personal:read")
