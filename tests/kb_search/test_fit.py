"""Which articles are for what somebody asks about, and how well they agree."""

from __future__ import annotations

import pytest

from kb_search.domain.content import About
from kb_search.domain.fit import accepted, agreement, allows, marks_of


def accepts(article: About, asked: About, *, spoken: str = "en", language: str | None = None) -> bool:
    return allows(marks_of(article, spoken), accepted(asked, language))


@pytest.mark.parametrize("asked", [About(), About(product="X"), About("X", "2", "linux")])
def test_an_article_that_names_nothing_is_for_everybody(asked: About) -> None:
    assert accepts(About(), asked)


@pytest.mark.parametrize("article", [About(), About(product="X"), About("X", "2", "linux")])
def test_who_names_nothing_is_offered_everything(article: About) -> None:
    assert accepts(article, About())


def test_an_article_for_another_product_or_system_is_left_out() -> None:
    assert not accepts(About(product="X"), About(product="Y"))
    assert not accepts(About(os="macOS"), About(product="X", os="linux"))
    assert accepts(About(product="  Router  X "), About(product="router x"))


@pytest.mark.parametrize(
    ("article", "asked", "fits"),
    [
        ("3.1", "3.1", True),
        ("3.1", "v3.1.4", True),
        ("3.1", "3", True),
        ("3.1.4", "3.1.5", False),
        ("3.1", "3.10", False),
        ("3", "2", False),
        ("2024 R2", "2024 r2", True),
    ],
)
def test_a_version_stands_for_what_it_begins(article: str, asked: str, fits: bool) -> None:
    assert accepts(About(version=article), About(version=asked)) is fits


def test_a_language_that_is_asked_for_lets_no_other_pass() -> None:
    assert accepts(About(), About(), spoken="de-CH", language="de")
    assert not accepts(About(), About(), spoken="en", language="de")


def test_each_thing_that_both_name_adds_to_the_agreement() -> None:
    assert agreement(About(), "en", About("X", "2", "linux"), None) == 1
    assert agreement(About("X"), "en", About("X", "2", "linux"), None) == 1.2
    assert agreement(About("X", "2", "linux"), "en", About("X", "2", "linux"), None) == pytest.approx(1.2**3)


def test_the_customers_language_adds_to_the_agreement() -> None:
    assert agreement(About(), "en-GB", About(), "en") == 1.3
    assert agreement(About(), "de", About(), "en") == 1
