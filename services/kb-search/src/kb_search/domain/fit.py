"""Whether an article is for what somebody asks about: marks that an index can filter by, and how well they agree."""

from collections.abc import Mapping
from typing import Final

from kb_search.domain.content import About, primary

ANY: Final = "*"
FIELDS: Final = ("product", "version", "os", "language")
Marks = Mapping[str, tuple[str, ...]]

_AGREES: Final = 1.2
_SPEAKS: Final = 1.3


def marks_of(about: About, language: str) -> Marks:
    """What an article is filed under, by field: `=x` for exactly x, `x` for each part that x begins with, `*` for any.

    An article for version 3.1 is filed under `=3.1`, `3` and `3.1`.
    """
    version = _version(about.version)
    return {
        "product": (f"={_folded(about.product)}",) if about.product else (ANY,),
        "version": (f"={version}", *_beginnings(version)) if version else (ANY,),
        "os": (f"={_folded(about.os)}",) if about.os else (ANY,),
        "language": (f"={primary(language) or language}",),
    }


def accepted(about: About, language: str | None = None) -> Marks:
    """The marks of which an article must have one, for each field that something is asked about.

    Who asks about version 3.1.4 is served by what is for 3.1.4, 3.1, 3 or any; who asks about 3 by what is for 3.1 too.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    if about.product:
        wanted["product"] = (ANY, f"={_folded(about.product)}")
    if version := _version(about.version):
        wanted["version"] = (ANY, version, *(f"={each}" for each in _beginnings(version)))
    if about.os:
        wanted["os"] = (ANY, f"={_folded(about.os)}")
    if spoken := primary(language):
        wanted["language"] = (f"={spoken}",)
    return wanted


def allows(marks: Marks, wanted: Marks) -> bool:
    """Whether an article with these marks is accepted."""
    return all(set(marks[field]) & set(choice) for field, choice in wanted.items())


def agreement(article: About, article_language: str, asked: About, language: str | None) -> float:
    """By how much an accepted article gains: for each thing that it names and that was asked about, and for language.

    1.2 for each of product, version and os; 1.3 where it is in the language of who asks.
    """
    said = zip((article.product, article.version, article.os), (asked.product, asked.version, asked.os), strict=True)
    gain = 1.0
    for theirs, ours in said:
        gain *= _AGREES if theirs and ours else 1.0
    spoken = primary(language)
    return gain * (_SPEAKS if spoken is not None and spoken == primary(article_language) else 1.0)


def _folded(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _version(text: str | None) -> str:
    return _folded(text).removeprefix("v") if text else ""


def _beginnings(version: str) -> list[str]:
    parts = version.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
