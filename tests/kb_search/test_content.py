"""Markdown as plain words, sentences, and the first part of a language tag."""

from __future__ import annotations

import time

import pytest

from kb_search.domain.content import plain, primary, sentences


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("# Reset", "Reset"),
        ("Open **Settings**, then *Reset*.", "Open  Settings , then  Reset ."),
        ('See [the form](https://example.org/form "Form") now', "See the form now"),
        ("![a red button](button.png)", "a red button"),
        ("See [the form][1]", "See the form"),
        ("- one\n- two\n1. three", "one\ntwo\nthree"),
        ("```sh\nrestart now\n```", "restart now"),
        ("a<br>b <!-- hidden --> c", "a b   c"),
        ("open <!-- without end", "open   without end"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("----\ntext\n====", "text"),
    ],
)
def test_marks_go_and_words_stay(markdown: str, words: str) -> None:
    assert plain(markdown) == words


def test_a_text_falls_into_sentences_and_lines() -> None:
    assert list(sentences("One is  here. Two?\nThree\n\n v1.2 stays")) == [
        "One is here.",
        "Two?",
        "Three",
        "v1.2 stays",
    ]


@pytest.mark.parametrize("piece", ["[", "<", "<!--", "![a](", "[a][", "* ", "- ", "\n- ", "_", "<a ", "``` "])
def test_a_text_made_to_be_slow_is_read_in_no_time(piece: str) -> None:
    began = time.process_time()
    plain(piece * (60_000 // len(piece)))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("tag", "first"), [("de-CH", "de"), ("EN", "en"), ("pt_BR", "pt"), ("", None), ("  ", None), (None, None)]
)
def test_a_language_goes_by_its_first_part(tag: str | None, first: str | None) -> None:
    assert primary(tag) == first
