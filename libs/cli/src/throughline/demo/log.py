"""What audit's log tells of one run's requests, read on from where the log ended when the run began."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from throughline.demo.wire import Wire

Record = Mapping[str, Any]

PAGE = 1_000
READS_EVERY_S = 0.5


class Log:
    """The run's records by request, each event once, in the order of the log.

    A request is the run's where its ContactReceived names a queue of the run; that is the first record of its key.
    """

    def __init__(self, run: str, told: Callable[[Record], None]) -> None:
        """`told` hears of each of the run's events as it is read."""
        self.run, self.told = run, told
        self.by_request: dict[str, list[Record]] = {}
        self.counted: Counter[str] = Counter()
        self.cursor: str | None = None
        self._more = asyncio.Event()

    async def begin(self, wire: Wire) -> None:
        """Goes to the log's end: the cursor moves past what a filter leaves out, and nobody has this request."""
        nobody = f"nobody-{uuid.uuid4()}"
        page = await wire.get("audit", "/v1/events", topic="contacts", request_id=nobody, limit=1)
        self.cursor = page["next_cursor"]

    async def follow(self, wire: Wire) -> None:
        """Reads on until it is cancelled."""
        while True:
            await self.read(wire)
            await asyncio.sleep(READS_EVERY_S)

    async def read(self, wire: Wire) -> None:
        """Takes in what there is up to the log's present end."""
        while True:
            query = {"cursor": self.cursor} if self.cursor else {}
            page = await wire.get("audit", "/v1/events", topic="contacts", limit=PAGE, **query)
            for record in page["items"]:
                self._take(record)
            at_end = page["next_cursor"] == self.cursor or not page["items"]
            self.cursor = page["next_cursor"]
            if at_end:
                break
        self._more.set()
        self._more = asyncio.Event()

    async def more(self) -> None:
        """Until it was read once more."""
        await self._more.wait()

    def _take(self, record: Record) -> None:
        request_id = record["request_id"]
        if self._begins(record):
            self.by_request.setdefault(request_id, [])
        if request_id not in self.by_request or record["duplicate"]:
            return
        self.counted[record["event_id"]] += 1
        self.by_request[request_id].append(record)
        self.told(record)

    def _begins(self, record: Record) -> bool:
        queue = (record.get("data") or {}).get("queue") or ""
        return record["type"] == "ContactReceived" and queue.endswith(f"-{self.run}")
