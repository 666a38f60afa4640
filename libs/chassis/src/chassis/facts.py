"""A fact as an event for the store: type, topic and version from the catalogue, the payload by the codec."""

from chassis.store import NewEvent
from events.base import Fact
from events.catalogue import CATALOGUE
from events.codec import Sealer, encode_data
from events.personal import plan_of, split


def event_of(
    fact: Fact,
    *,
    event_id: str,
    source: str,
    key: str,
    occurred_us: int,
    clock_us: int | None = None,
    causation_id: str | None = None,
    correlation_id: str | None = None,
    traceparent: str | None = None,
    key_id: str | None = None,
    sealer: Sealer | None = None,
) -> NewEvent:
    """The event that states `fact`; `key` is the record's. Times are µs since 1970, ids lower-case UUIDs.

    Personal members are sealed under `key_id`. A `key_id` without a `sealer` says that the key was destroyed: the
    personal members are left out. KeyError for a fact that is not in the catalogue, ValueError where it has personal
    members and no `key_id`.
    """
    kind = CATALOGUE[type(fact).__name__]
    data = fact.model_dump(exclude_unset=True)
    if key_id is not None and sealer is None:
        data, _ = split(plan_of(kind.model), data)
    payload = encode_data(kind.name, data, event_id=event_id, key_id=key_id, sealer=sealer)
    return NewEvent(
        event_id=event_id,
        type=kind.name,
        payload=payload,
        occurred_us=occurred_us,
        source=source,
        topic=kind.topic,
        key=key,
        clock_us=clock_us,
        causation_id=causation_id,
        correlation_id=correlation_id,
        traceparent=traceparent,
        version=kind.version,
    )
