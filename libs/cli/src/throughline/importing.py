"""Sends past events to intake: several batches in flight, busy answers waited out, refused lines collected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import stamina

from throughline.batches import Batch
from throughline.client import TIMEOUT_S, Busy, accepted, again, headers, unreachable
from throughline.ledger import Ledger, Refusal, Totals
from throughline.stack import Stack
from throughline.trouble import Trouble

IN_FLIGHT = 4
PATIENCE_S = 300.0
IMPORTS = "/v1/imports"

Told = Callable[[Batch, Totals], None]


class Importer:
    """One import into one stack. `told` hears of each batch once it is answered, or known from an earlier run."""

    def __init__(
        self,
        stack: Stack,
        ledger: Ledger,
        told: Told,
        *,
        in_flight: int = IN_FLIGHT,
        patience_s: float = PATIENCE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.stack, self.ledger, self.told = stack, ledger, told
        self.in_flight, self.patience_s = in_flight, patience_s
        self._transport = transport

    async def send(self, batches: Iterable[Batch]) -> Totals:
        """Sends all batches that the ledger does not know. Raises Trouble (refused as a whole) or Unreachable."""
        todo = iter(batches)
        kind = {"Content-Type": "application/x-ndjson"}
        client = httpx.AsyncClient(headers=headers(self.stack) | kind, timeout=TIMEOUT_S, transport=self._transport)
        try:
            async with client as http, asyncio.TaskGroup() as group:
                for _ in range(self.in_flight):
                    group.create_task(self._lane(http, todo))
        except ExceptionGroup as errors:
            raise _foremost(errors) from errors
        return self.ledger.totals

    async def _lane(self, http: httpx.AsyncClient, todo: Iterator[Batch]) -> None:
        """Takes the next batch until there is none; all lanes share the iterator."""
        for batch in todo:
            if not self.ledger.knows(batch):
                self.ledger.note(batch, *judged(batch, await self._post(http, batch)))
            self.told(batch, self.ledger.totals)
            await asyncio.sleep(0)  # lets the other lanes in while a known stretch is passed over

    async def _post(self, http: httpx.AsyncClient, batch: Batch) -> list[dict[str, Any]]:
        url = self.stack.url("intake") + IMPORTS
        try:
            async for attempt in stamina.retry_context(on=again, attempts=None, timeout=self.patience_s, wait_max=5):
                with attempt:
                    return answers(batch, await http.post(url, content=batch.body))
        except (httpx.TransportError, Busy) as error:
            raise unreachable("intake", url, error) from error
        raise AssertionError("a retry context ends by a return or an error")


def answers(batch: Batch, response: httpx.Response) -> list[dict[str, Any]]:
    """Intake's answer to each line. A single line that is too large for any call counts as rejected."""
    if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(batch.lines) == 1:
        return [{"line": 1, "status": "rejected", "error": "the line is too large"}]
    rows = [json.loads(row) for row in accepted(response).text.splitlines() if row]
    if len(rows) != len(batch.lines):
        raise Trouble(
            f"intake answered {len(rows)} lines to {len(batch.lines)}", "the same import again changes nothing"
        )
    return rows


def judged(batch: Batch, rows: list[dict[str, Any]]) -> tuple[int, int, list[Refusal]]:
    """How many lines were accepted, how many were known already, and the refused ones with the file's line numbers."""
    statuses = [row["status"] for row in rows]
    refused = [
        Refusal(number, wrong(row["error"]), line.decode(errors="replace"))
        for number, line, row in zip(batch.numbers, batch.lines, rows, strict=True)
        if row["status"] == "rejected"
    ]
    return statuses.count("accepted"), statuses.count("duplicate"), refused


def wrong(error: Any) -> tuple[dict[str, str], ...]:
    """Field and reason of what is wrong with a line, from a problem document or a plain sentence."""
    if not isinstance(error, dict):
        return ({"field": "", "reason": str(error)},)
    fields = error.get("errors") or [
        {"field": error.get("field"), "reason": error.get("reason") or error.get("detail")}
    ]
    return tuple({"field": str(each.get("field") or ""), "reason": str(each.get("reason") or "")} for each in fields)


def _foremost(errors: ExceptionGroup[Exception]) -> Exception:
    """The one that the user can do something about; the other lanes mostly failed alike."""
    troubles = errors.subgroup(Trouble)
    return troubles.exceptions[0] if troubles else errors
