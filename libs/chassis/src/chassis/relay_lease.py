"""The relay's fenced lease and its cursor: one row, of which each holder has an epoch of his own."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final, NamedTuple

import asyncpg

_FOR: Final = timedelta(seconds=5)

# A lease that lasts for longer than any is given for was given before the server's clock was set back: it is over.
_TAKE: Final = """
update relay_lease set epoch = epoch + 1, holder = $1, until = clock_timestamp() + $2::interval
where name = 'relay' and (until < clock_timestamp() or until > clock_timestamp() + 2 * $2::interval or holder = $1)
returning epoch, txid, id
"""
_RENEW: Final = """
update relay_lease set until = clock_timestamp() + $2 where name = 'relay' and epoch = $1 returning 1
"""
# A cursor that is lost in a crash only publishes again what stands in the log already. The setting ends with this
# statement's own transaction: no event is ever committed so.
_ADVANCE: Final = """
with asynchronous as materialized (select set_config('synchronous_commit', 'off', true))
update relay_lease set txid = $2::xid8, id = $3, until = clock_timestamp() + $4
from asynchronous
where name = 'relay' and epoch = $1
returning 1
"""
_GIVE_BACK: Final = "update relay_lease set until = '-infinity' where name = 'relay' and epoch = $1"


class Place(NamedTuple):
    """A row's place in the relay's order: the transaction that wrote it, and its id."""

    txid: int
    id: int


class LeaseLost(Exception):
    """Another replica has taken over; whatever was sent since may stand in the log twice."""


@dataclass(slots=True)
class Lease:
    """What a holder has: his epoch, the cursor, and until when (`time.monotonic`) he may believe so unasked."""

    epoch: int
    cursor: Place
    _until: float

    @property
    def believed(self) -> bool:
        """False once the time is over that was asked for: as after a freeze."""
        return monotonic() < self._until

    async def renew(self, connection: asyncpg.Connection) -> None:
        """Holds it for another 5 s; raises `LeaseLost`."""
        asked = monotonic()
        self._prolong(await connection.fetchval(_RENEW, self.epoch, _FOR), asked)

    async def advance(self, connection: asyncpg.Connection, to: Place) -> None:
        """Moves the cursor to an acknowledged row, and renews; under a later epoch raises `LeaseLost`."""
        asked = monotonic()
        self._prolong(await connection.fetchval(_ADVANCE, self.epoch, to.txid, to.id, _FOR), asked)
        self.cursor = to

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """Lets another replica take over at once."""
        await connection.execute(_GIVE_BACK, self.epoch)

    def _prolong(self, changed: int | None, asked: float) -> None:
        if changed is None:
            raise LeaseLost(f"epoch {self.epoch} is over")
        self._until = asked + _FOR.total_seconds()


async def take(connection: asyncpg.Connection, holder: str) -> Lease | None:
    """The lease with a new epoch, if it is free or was this holder's before; else None."""
    asked = monotonic()
    row = await connection.fetchrow(_TAKE, holder, _FOR)
    if row is None:
        return None
    return Lease(row["epoch"], Place(row["txid"], row["id"]), asked + _FOR.total_seconds())
