"""One key, one effect, and the first answer for ever after."""

from __future__ import annotations

from intake.domain.keys import Busy, Duplicate, Fresh, Reused, Taken, Use, judge

USE = Use("POST /v1/contacts", "k-1", b"hash of the first body")
SAME = Taken(USE.hash, b"the first answer")
OTHER = Taken(b"hash of another body", b"the first answer")


def test_a_key_never_used_is_fresh() -> None:
    assert judge(USE, None, in_flight=False) == Fresh()


def test_the_same_key_and_content_again_gets_the_first_answer() -> None:
    assert judge(USE, SAME, in_flight=False) == Duplicate(b"the first answer")


def test_the_same_key_with_other_content_is_refused() -> None:
    assert judge(USE, OTHER, in_flight=False) == Reused()


def test_a_key_being_worked_on_is_refused_for_now() -> None:
    assert judge(USE, None, in_flight=True) == Busy()


def test_what_is_stored_counts_before_the_mark_in_flight() -> None:
    assert judge(USE, SAME, in_flight=True) == Duplicate(b"the first answer")
