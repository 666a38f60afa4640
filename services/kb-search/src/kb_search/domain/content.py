"""What an article says and what it is about: values, and how its Markdown reads as plain text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Visibility = Literal["internal", "public"]

# In this order: code fences keep their lines, images and links their words, tags and marks go.
_MARKS: Final = (
    (re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"</?[A-Za-z][^<>]*>"), " "),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"^[ \t]*(?:#{1,6}|>|[-*+]|\d{1,9}[.)])[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE), ""),
    (re.compile(r"[*_~`|]+"), " "),
)
_SENTENCE: Final = re.compile(r"(?<=[.!?…。])\s+|\n+")
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class About:
    """What an article applies to, or what somebody asks about; None where nothing is said."""

    product: str | None = None
    version: str | None = None
    os: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What an article says in one revision. `body` is Markdown, `language` mostly a BCP 47 tag."""

    title: str
    body: str
    language: str
    tags: tuple[str, ...] = ()
    about: About = About()
    visibility: Visibility = "internal"


def plain(markdown: str) -> str:
    """The words of a Markdown text, line by line, without its marks.

    Not a renderer: what is found by words and shown as a snippet needs no more, and ten thousand articles are read so
    at each start.
    """
    text = _without_comments(markdown)
    for pattern, kept in _MARKS:
        text = pattern.sub(kept, text)
    return text.strip()


def sentences(text: str) -> Iterator[str]:
    """The sentences and lines of a plain text, blanks made one."""
    for part in _SENTENCE.split(text):
        if sentence := _BLANKS.sub(" ", part).strip():
            yield sentence


def primary(language: str | None) -> str | None:
    """The first part of a language tag in lower case (`de` of `de-CH`), None where there is none."""
    return re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0] or None if language else None


def _without_comments(text: str) -> str:
    """In one pass: a pattern would look for the end of each of a thousand comments that have none."""
    first, *parts = text.split("<!--")
    if not parts:
        return text
    behind = (part.partition("-->") for part in parts)
    return " ".join((first, *(rest if end else kept for kept, end, rest in behind)))
