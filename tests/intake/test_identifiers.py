"""A customer is known again by any spelling of his address or number."""

from __future__ import annotations

from uuid import UUID

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from intake.domain import identifiers
from intake.domain.identifiers import customer_id_of, identifiers_of, thread_of


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Some.One@Example.COM", "some.one@example.com"),
        (" some.one@example.com ", "some.one@example.com"),
        ("x@xn--mnchen-3ya.de", "x@münchen.de"),
        ("not an address", "not an address"),
        ("a..b@example.com", "a..b@example.com"),
        ("A@localhost", "A@localhost"),
        ("x" * 400 + "@example.com", "x" * 400 + "@example.com"),
    ],
)
def test_an_email_address_has_one_spelling_or_stands_as_it_is(text: str, normal: str) -> None:
    assert identifiers.email(text) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("+49 30 1234567", "+49301234567"),
        ("+49 (0)30 123-4567", "+49301234567"),
        ("tel:+49-30-1234567", "+49301234567"),
        ("+49 30 1234567 ext. 7", "+49301234567;ext=7"),
        ("030 1234567", "030 1234567"),
        ("+1", "+1"),
        ("+" + "1" * 400, "+" + "1" * 400),
    ],
)
def test_a_phone_number_has_one_spelling_or_stands_as_it_is(text: str, normal: str) -> None:
    assert identifiers.phone(text) == normal


@pytest.mark.parametrize(("text", "normal"), [(" e\u0301lan ", "\u00e9lan"), ("Ada", "Ada"), ("  ", "  ")])
def test_a_handle_keeps_its_case(text: str, normal: str) -> None:
    assert identifiers.handle(text) == normal


@given(st.from_regex(identifiers.PLAIN_EMAIL, fullmatch=True))
def test_the_short_cut_for_plain_addresses_says_what_the_full_check_says(text: str) -> None:
    try:
        full = validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        full = text
    assert identifiers.email(text) == full


@given(st.text(max_size=60), st.sampled_from(sorted(identifiers.NORMALISE)))
def test_normalising_twice_changes_nothing(text: str, kind: str) -> None:
    once = identifiers.NORMALISE[kind](text)
    assert identifiers.NORMALISE[kind](once) == once


def test_the_same_text_as_address_and_as_handle_are_two_identifiers() -> None:
    assert identifiers_of({"email": "ada"}) != identifiers_of({"handle": "ada"})


def test_the_most_trusted_identifier_comes_first() -> None:
    both = identifiers_of({"handle": "ada", "phone": "+49301234567", "email": "ada@example.com"})
    assert both == (
        *identifiers_of({"email": "ada@example.com"}),
        *identifiers_of({"phone": "+49 30 1234567"}),
        *identifiers_of({"handle": "ada"}),
    )


def test_an_identifiers_uuid_never_changes() -> None:
    assert identifiers_of({"email": "ada@example.com"}) == (UUID("fcc96340-99d8-5acb-921f-ed183595b485"),)


class TestCustomerId:
    ADA = identifiers_of({"email": "ada@example.com"})
    BOTH = identifiers_of({"email": "ada@example.com", "phone": "+49 30 1234567"})

    def test_a_given_id_counts_whatever_else_is_known(self) -> None:
        assert customer_id_of("c-42", self.ADA, {self.ADA[0]: "c-7"}) == "c-42"

    def test_a_known_identity_counts_before_a_new_one(self) -> None:
        assert customer_id_of(None, self.BOTH, {self.BOTH[1]: "c-7"}) == "c-7"

    def test_of_two_known_identities_the_more_trusted_counts(self) -> None:
        assert customer_id_of(None, self.BOTH, {self.BOTH[0]: "c-1", self.BOTH[1]: "c-2"}) == "c-1"

    def test_an_unknown_customer_is_his_first_identifier(self) -> None:
        assert customer_id_of(None, self.BOTH, {}) == str(self.BOTH[0])

    def test_without_any_identifier_there_is_no_customer(self) -> None:
        with pytest.raises(ValueError, match="at least one identifier"):
            customer_id_of(None, (), {})


def test_a_thread_is_one_on_its_channel_alone() -> None:
    assert thread_of("email", "t-1") == thread_of("email", "t-1")
    assert thread_of("email", "t-1") != thread_of("chat", "t-1")
