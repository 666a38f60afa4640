"""Under whose key each event of a batch is sealed, with the keys made where they were missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chassis.keyring import Keys
from chassis.sealing import AesSealer
from chassis.store import Append
from events import key_ids
from intake.app.ports import Unit
from intake.domain.decide import Joined, Started


@dataclass(frozen=True, slots=True)
class Seals:
    """The customers' keys of a batch; `spare` are keys of requests whose customer's own key was destroyed."""

    own: Keys
    spare: Keys | None = None

    @property
    def made(self) -> tuple[Append, ...]:
        """The KeyMade that must be appended in the same transaction."""
        return self.own.made if self.spare is None else (*self.own.made, *self.spare.made)

    def under(self, decision: Started | Joined) -> tuple[str, AesSealer]:
        """The key id and the sealer for a decision's event."""
        key_id = key_ids.of_customer(decision.customer_id)
        if self.spare is not None and key_id in self.own.destroyed:
            return key_ids.of_request(decision.request_id), self.spare.sealer
        return key_id, self.own.sealer


async def seals_for(unit: Unit, decisions: Iterable[Started | Joined]) -> Seals:
    """Keys for all of these. A destroyed key is never made anew: an erased customer's later events are sealed
    under their request's."""
    wanted = list(decisions)
    own = await unit.keys({key_ids.of_customer(decision.customer_id) for decision in wanted})
    if not own.destroyed:
        return Seals(own)
    orphans = {d.request_id for d in wanted if key_ids.of_customer(d.customer_id) in own.destroyed}
    return Seals(own, await unit.keys({key_ids.of_request(request_id) for request_id in orphans}))
