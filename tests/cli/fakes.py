"""An intake that lives in memory and can be busy, gone or particular."""

from __future__ import annotations

import json

import httpx

from throughline.stack import Stack

STACK = Stack({"intake": "http://intake.test", "audit": "http://audit.test"}, "secret")


class FakeIntake:
    """Takes imports as the contract says: each event once, lines with `"refuse": true` rejected.

    `busy` answers 429 that many times first; `gone_after` drops the connection after that many answers.
    """

    def __init__(self, *, busy: int = 0, gone_after: int | None = None) -> None:
        self.events: dict[str, bytes] = {}
        self.calls: list[int] = []
        self.busy, self.gone_after = busy, gone_after

    def transport(self) -> httpx.MockTransport:
        """What a client is given instead of the network."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.busy > 0:
            self.busy -= 1
            return httpx.Response(429, headers={"Retry-After": "0"}, json={"title": "Overloaded"})
        if self.gone_after is not None and len(self.calls) >= self.gone_after:
            raise httpx.ConnectError("connection refused", request=request)
        lines = request.content.splitlines()
        self.calls.append(len(lines))
        rows = [self._take(number, line) for number, line in enumerate(lines, 1)]
        return httpx.Response(200, text="".join(json.dumps(row) + "\n" for row in rows))

    def _take(self, number: int, line: bytes) -> dict[str, object]:
        event = json.loads(line)
        if event.get("refuse"):
            problem = {"type": "/problems/validation", "errors": [{"field": "data.channel", "reason": "is required"}]}
            return {"line": number, "status": "rejected", "error": problem}
        known = event["event_id"] in self.events
        self.events[event["event_id"]] = line
        return {"line": number, "status": "duplicate" if known else "accepted", "error": None}


def ndjson(*events: object) -> bytes:
    """The lines of a file."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def events(count: int) -> list[dict[str, object]]:
    """So many different lines."""
    return [{"event_id": f"e-{number}", "type": "Routed"} for number in range(count)]
