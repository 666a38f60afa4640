"""Server-sent events, put together from their lines."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, NamedTuple


class Told(NamedTuple):
    """One event. `id` is what a reader goes on from, "" where none was ever given."""

    id: str
    event: str
    data: Any


async def events_of(lines: AsyncIterable[str]) -> AsyncGenerator[Told]:
    """Each event whose data are one line of JSON, as our services send them; comments are passed over."""
    id_, name = "", "message"
    async for line in lines:
        member, _, value = line.partition(":")
        if member == "id":
            id_ = value.strip()
        elif member == "event":
            name = value.strip()
        elif member == "data":
            yield Told(id_, name, json.loads(value))
            name = "message"
