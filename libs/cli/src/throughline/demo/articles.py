"""What the made-up bank's agents look things up in: the short articles of articles.md, about what its customers ask."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from throughline.demo.wire import Wire

NOT_FOUND = 404
PREFIX = "bank-"

_ARTICLE = re.compile(r"^# (?P<name>[a-z-]+): (?P<title>.+)\n\n(?P<body>(?:.+\n)+)\nTags: (?P<tags>.+)$", re.MULTILINE)


def articles() -> dict[str, dict[str, Any]]:
    """The bodies of `PUT /v1/articles/{id}`, by id."""
    text = files("throughline.demo").joinpath("articles.md").read_text(encoding="utf-8")
    return {f"{PREFIX}{found['name']}": _body(found) for found in _ARTICLE.finditer(text)}


async def stock(wire: Wire) -> int:
    """Writes the articles that are not there yet: those of an earlier run stand, with what somebody made of them."""
    written = 0
    for article_id, body in articles().items():
        path = f"/v1/articles/{quote(article_id)}"
        if (await wire.call("kb-search", "GET", path, but={NOT_FOUND})).status_code == NOT_FOUND:
            await wire.put("kb-search", path, body)
            written += 1
    return written


def _body(found: re.Match[str]) -> dict[str, Any]:
    return {
        "title": found["title"],
        "body": found["body"].strip(),
        "language": "en",
        "tags": found["tags"].split(", "),
        "visibility": "internal",
    }
