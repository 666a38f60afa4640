"""Customers on their day, as the gateways pass them on: they come, bear it or hang up, write again, and come back."""

from __future__ import annotations

import asyncio
from typing import Any

from throughline.demo.cases import Case, Cases
from throughline.demo.plan import Note, Rating, Visit
from throughline.demo.scale import Scale
from throughline.demo.wire import Wire

CONFLICT = 409


class Customers:
    """All customers of one run. `opening` is the event loop's time of the bank's opening."""

    def __init__(self, wire: Wire, cases: Cases, scale: Scale, opening: float) -> None:
        self.wire, self.cases, self.scale, self.opening = wire, cases, scale, opening

    async def live(self, visit: Visit) -> None:
        """One customer from his arrival until he wants nothing more and is closed."""
        await asyncio.sleep(self.opening + self.scale.at(visit.at_s) - asyncio.get_running_loop().time())
        case = await self._arrive(visit)
        if visit.writes_again is not None:
            await self._write_again(case, visit.writes_again)
        if await self._hangs_up(case) and visit.returns is not None:
            await self._return(case, visit.returns)
        await case.closed.wait()
        if not case.connected.is_set():
            return
        if visit.still_wrong is not None:
            await self._still_wrong(case, visit.still_wrong)
        if visit.rating is not None:
            await self._rate(case, visit.rating)

    async def _arrive(self, visit: Visit) -> Case:
        key = self.wire.new_key()
        body = contact_for(visit, self.wire.run)
        answer = (await self.wire.command("intake", "/v1/contacts", body, key=key)).json()
        self.wire.answered.requests.append(answer["request_id"])
        case = self.cases.open(answer["request_id"], visit)
        if visit.posted_twice:
            again = (await self.wire.command("intake", "/v1/contacts", body, key=key)).json()
            self.wire.answered.retries += bool(again["duplicate"])
        return case

    async def _hangs_up(self, case: Case) -> bool:
        """Whether he ran out of patience first. An agent may pick up at that very moment: then he is on the line."""
        if case.visit.patience_s is None:
            return False
        try:
            async with asyncio.timeout(self.scale.lasts(case.visit.patience_s)):
                await case.connected.wait()
            return False
        except TimeoutError:
            return await self._abandon(case)

    async def _abandon(self, case: Case) -> bool:
        if case.connected.is_set():
            return False
        reason = "hung up" if case.visit.channel == "voice" else "left the chat"
        path = f"/v1/requests/{case.request_id}/abandon"
        gone = (await self.wire.once_known("router", path, {"reason": reason}, but={CONFLICT})).is_success
        if gone:
            case.closed.set()
            self.cases.happened["abandon"] += 1
        return gone

    async def _return(self, case: Case, note: Note) -> None:
        """He comes back on another channel about the same thing: the router reopens it."""
        await self._pause(note)
        case.reopens()
        body = contact_for(case.visit, self.wire.run)
        body |= {"channel": note.channel, "body": note.body, "continues": case.request_id}
        await self.wire.command("intake", "/v1/contacts", body)
        self.cases.happened["came back"] += 1

    async def _write_again(self, case: Case, note: Note) -> None:
        await self._pause(note)
        if not case.closed.is_set():
            await self._message(case, note)

    async def _still_wrong(self, case: Case, note: Note) -> None:
        await self._pause(note)
        case.reopens()
        await self._message(case, note)
        self.cases.happened["came back"] += 1
        await case.closed.wait()

    async def _message(self, case: Case, note: Note) -> None:
        body = {"channel": note.channel, "body": note.body}
        await self.wire.command("intake", f"/v1/requests/{case.request_id}/messages", body)
        self.cases.happened["message"] += 1

    async def _rate(self, case: Case, rating: Rating) -> None:
        await asyncio.sleep(self.scale.lasts(rating.after_s))
        body = {"score": rating.score, "text": rating.text}
        await self.wire.command("intake", f"/v1/requests/{case.request_id}/feedback", body)

    async def _pause(self, note: Note) -> None:
        await asyncio.sleep(self.scale.lasts(note.after_s))


def contact_for(visit: Visit, run: str) -> dict[str, Any]:
    """The contact with the run's own queue and customer, so that no earlier run is in its way."""
    contact = dict(visit.contact)
    customer = {**contact["customer"], "id": f"{contact['customer']['id']}-{run}"}
    return {**contact, "queue": f"{visit.queue}-{run}", "customer": customer}
