"""What a reader asks for of the log and of the requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.domain.reading import CONTACTS


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Records of one event type, topic or request, or with stated times in `[from, to)` µs; None asks for all."""

    type: str | None = None
    topic: str | None = None
    request_id: str | None = None
    from_us: int | None = None
    to_us: int | None = None

    def topics(self, all_topics: Sequence[str]) -> frozenset[str]:
        """Those of the topics in which such records can stand: a request's stand in `contacts` alone."""
        wanted = {self.topic} if self.topic is not None else set(all_topics)
        return frozenset(wanted & {CONTACTS} if self.request_id is not None else wanted)


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Requests that agree in every member given. `from_us` and `to_us` bound their receipt, `[from, to)` in µs.

    `q` is the beginning of a request id, a customer id, an agent's or a queue's name: names and texts of persons are
    sealed and cannot be searched.
    """

    state: str | None = None
    channel: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    q: str | None = None
