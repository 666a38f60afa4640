"""What the orders on requests need of the outside: a transaction that holds a request, and a look at one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.commands import Use
from router.domain.moves import Move
from router.domain.request import Request


@dataclass(frozen=True, slots=True)
class Shown:
    """A request with the decision record of its last Routed, as that says it; None where there was none."""

    request: Request
    decision: Mapping[str, Any] | None


class RequestUnit(Protocol):
    """One order's part of a transaction, which orders on other requests may share; it makes one move at most."""

    async def request(self) -> Request | None:
        """Holds the request until the end; it as it stands, None where it is not known."""
        ...

    async def knows_agent(self, agent_id: str) -> bool:
        """Whether there is such an agent."""
        ...

    async def apply(self, move: Move) -> Request:
        """Has a move of the request written; it as it stands then, with the times that its events are given."""
        ...


Settle = Callable[[RequestUnit], Awaitable[bytes]]


class RequestStore(Protocol):
    """Requests, one transaction at a time for each."""

    async def settled(self, request_id: str, use: Use | None, settle: Settle, *, words: bool) -> bytes:
        """The answer of `settle`, kept under the key of `use` where it is given; for a repeat of it the first answer.

        With `words` the customer's key is made ready to seal what somebody said. Raises what `settle` raises (nothing
        is written then), `InFlight`, `KeyReused`, and `Unavailable` where the outcome is unknown or nothing was done.
        """
        ...

    async def shown(self, request_id: str) -> Shown | None:
        """The request as it stands, None where it is not known."""
        ...
