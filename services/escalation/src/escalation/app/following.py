"""What the log tells, one event after another."""

from __future__ import annotations

from escalation.app.ports import Unit
from escalation.domain import fold
from escalation.domain.request import Heard


async def take(unit: Unit, event: Heard, partition: int) -> None:
    """Keeps what an event of the partition does. One of a request whose receipt was never told changes nothing."""
    request = await unit.request(event.request_id)
    if request is not None:
        unit.keep(fold.follow(request, event, await unit.rules()))
    elif event.type == "ContactReceived":
        unit.keep(fold.received(event, partition, await unit.rules()))
