"""One running escalation, and what its tests ask of it again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.escalation import Escalations, Life, Replica, Told
from tests.support.until import until


@dataclass(frozen=True)
class World:
    """The service and its one replica."""

    service: Escalations
    replica: Replica

    async def known(self, life: Life, *events: Told) -> None:
        """Sends events and waits until the last of them is taken in."""
        await self.service.send(*events)
        # By its id: what escalation itself has stated of the request may be later than what is on its way.
        last = events[-1].envelope.event_id

        async def taken() -> bool:
            return bool(await self.service.rows("select from handled_events where event_id = $1", last))

        await until(taken, 20, "escalation has taken the events in")

    async def comes(self, life: Life, *types: str) -> list[dict[str, Any]]:
        """Waits until just these events are stated of a request."""

        async def there() -> bool:
            return len(await self.service.stated(life.request_id)) >= len(types)

        await until(there, 20, f"{types} are stated")
        facts = await self.service.facts(life.request_id)
        assert [fact["type"] for fact in facts] == list(types)
        return facts
