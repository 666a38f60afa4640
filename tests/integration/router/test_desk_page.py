"""The page on an agent's desk tells what happens: its calls to the router are made, in order, as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx

from tests.support.router import Router
from tests.support.routing import Routing
from tests.support.serving import Json
from tests.support.until import until

PAGE = Path(__file__).resolve().parents[3] / "docs" / "desk.md"
BLOCK = re.compile(r"^```(http|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_page_tells_what_happens(desk: Routing, router: Router) -> None:
    await desk.key()
    answer: httpx.Response | None = None
    made = 0
    for kind, text in BLOCK.findall(PAGE.read_text().replace("{request_id}", "r-1")):
        if kind == "json":
            assert answer is not None
            assert part_of(json.loads(text), answer.json()), (text, answer.text)
            continue
        answer = await called(text, desk, router)
        assert answer is None or answer.status_code in (200, 409), (text, answer.text)
        made += 1
    assert made > 12
    assert await desk.types("r-1") == [
        "Routed", "Connected", "Paused", "Resumed", "Transferred", "Routed", "OfferClosed", "Routed", "Connected",
        "Resolved", "Reopened", "Routed", "Abandoned",
    ]  # fmt: skip


async def called(text: str, desk: Routing, router: Router) -> httpx.Response | None:
    """One call as it is written; what goes to intake is taken off the log instead."""
    head, _, body = text.partition("\n\n")
    (first, *more) = head.splitlines()
    method, _, place = first.partition(" ")
    service, _, path = place.partition("/")
    if service == "intake":
        said = json.loads(body)
        await desk.contact("r-1", queue=said["queue"], skills=said["skills"], language=said["language"])
        await router.comes("r-1", state="offered")
        return None
    content: Json | None = json.loads(body) if body.strip() else None
    await settled(router, path, content)
    headers = dict(line.split(": ") for line in more)
    return await router.http.request(method, f"/{path}", json=content, headers=headers)


async def settled(router: Router, path: str, content: Json | None) -> None:
    """A desk clicks on what it shows: it waits for the offer that its click is about."""
    if path.endswith(("/accept", "/decline")) and content is not None and "leg" in content:
        await until(lambda: shows(router, content), 20, f"{content} is offered")
    if path.endswith("/abandon"):
        await router.comes("r-1", state="offered")


async def shows(router: Router, content: Json) -> bool:
    seen = await router.view("r-1")
    return (seen["state"], seen["agent_id"], seen["leg"]) == ("offered", content["agent_id"], content["leg"])


def part_of(told: Any, whole: Any) -> bool:
    """Whether all that the page tells is in the answer."""
    if isinstance(told, dict):
        return all(name in whole and part_of(value, whole[name]) for name, value in told.items())
    if isinstance(told, list):
        return len(told) == len(whole) and all(part_of(one, other) for one, other in zip(told, whole, strict=True))
    return bool(told == whole)
