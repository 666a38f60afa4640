"""A small world: requests of every kind in the log, some sealed, some broken, some told twice."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from audit.domain.reading import entry_of, read
from chassis.records import Record
from events.codec import encode_data
from events.lifecycle import Entry
from events.times import to_text
from tests.audit.given import CONTACT, MINUTE, START, Writer, event_id
from tests.support.audit import Audits, Replica
from tests.support.told import CustomerKey

CHANNELS = ("voice", "chat", "email")
FROM, TO = to_text(START - MINUTE), to_text(START + 1_000 * MINUTE)
"""All lives were received in between, and nothing else."""


def lives(draw: random.Random, count: int) -> list[list[Record]]:
    """So many requests `life-0`… with different customers, channels, queues, agents, ends and odd microseconds."""
    writer = Writer()
    return [_life(draw, writer, number) for number in range(count)]


def _life(draw: random.Random, writer: Writer, number: int) -> list[Record]:
    minute = number * 3 + draw.random()
    contact: dict[str, Any] = {"channel": draw.choice(CHANNELS), "customer": {"id": f"c-{number % 7}"}}
    if draw.random() < 0.5:
        contact |= {
            "queue": draw.choice(["billing", "cards"]),
            "severity": draw.randrange(1, 5),
            "support_level": "gold",
        }
    steps: list[tuple[str, dict[str, Any]]] = [("ContactReceived", contact)]
    agent = f"a-{draw.randrange(4)}"
    if draw.random() < 0.2:
        steps.append(("Abandoned", {"reason": "left"}))
    else:
        steps.append(("Routed", {"agent_id": agent}))
        if draw.random() < 0.4:
            steps += [("OfferClosed", {"reason": "declined"}), ("Routed", {"agent_id": f"{agent}x", "tier": 2})]
        if draw.random() < 0.9:
            steps.append(("Connected", {"agent_id": agent}))
            if draw.random() < 0.4:
                steps += [("Paused", {"reason": "hold"}), ("Resumed", {})]
            if draw.random() < 0.8:
                steps.append(("Resolved", {"agent_id": agent}))
    events = []
    for sequence, (type_, data) in enumerate(steps, start=1):
        minute += draw.random() if type_ != "Abandoned" else 0.01
        subject = f"life-{number}"
        events.append(writer.event(type_, data, subject=subject, minute=minute, source="/imports", sequence=sequence))
    return events


class Person:
    """A customer with a key of his own."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._key = CustomerKey(key_id)

    def made(self) -> Record:
        """KeyMade, as intake tells it."""
        return _key_event("KeyMade", self.key_id, self._key.made())

    def destroyed(self) -> Record:
        """KeyDestroyed: the person is erased."""
        return _key_event("KeyDestroyed", self.key_id, self._key.destroyed())

    def says(
        self, writer: Writer, type_: str, data: dict[str, Any], *, subject: str, id_: str, minute: float = 0
    ) -> Record:
        """An event whose personal members are sealed under his key."""
        value = encode_data(type_, data, event_id=id_, key_id=self.key_id, sealer=self._key.sealer())
        return writer.event(type_, subject=subject, id_=id_, minute=minute, value=value)


def _key_event(type_: str, key_id: str, payload: bytes) -> Record:
    return Writer("keys").event(type_, subject=key_id, value=payload, source="/services/intake")


@dataclass
class World:
    """One audit that everything was told to, and what it was told."""

    service: Audits
    audit: Replica
    lives: dict[str, list[Record]]
    then: str
    """A moment when just the first half of every life was known."""
    person: Person
    records: list[Record]


async def tell(service: Audits) -> World:
    """Two halves, each taken in before the other is sent."""
    audit = await service.local()
    told = lives(random.Random(20), 40)
    early = [record for life in told for record in life[: len(life) // 2]]
    late = [record for life in told for record in life[len(life) // 2 :]]
    await service.send(early)
    await audit.drained()
    ((known_us,),) = await service.rows("select max(known_us) from projection.records")
    person = Person("c-sealed")
    others = [*_odd(), *_sealed(person)]
    await service.send([*late, early[0], late[0], *others])
    await audit.drained()
    by_id = {f"life-{number}": life for number, life in enumerate(told)}
    kept = [*early, *late, early[0], late[0], *[record for record in others if record.topic != "keys"]]
    return World(service, audit, by_id, to_text(known_us), person, kept)


def _odd() -> list[Record]:
    writer = Writer()
    return [
        writer.event("Routed", subject="broken", value=b"{"),
        writer.event("Pondered", {"over": "tea"}, subject="odd"),
        writer.event("Routed", {"agent_id": "a-1"}, subject="odd", minute=2),
        Writer("agents").event("PresenceChanged", {"agent_id": "a-1", "status": "away"}, subject="a-1"),
    ]


def _sealed(person: Person) -> list[Record]:
    contact = CONTACT | {"customer": {"id": "c-sealed", "name": "Ada"}, "subject": "my card", "customer_id": "c-sealed"}
    message = {"channel": "chat", "body": "hello?"}
    writer = Writer()
    return [
        person.made(),
        person.says(writer, "ContactReceived", contact, subject="sealed", id_=event_id(901), minute=5_000),
        person.says(writer, "MessageReceived", message, subject="sealed", id_=event_id(902), minute=5_001),
    ]


def entries(records: list[Record]) -> list[Entry]:
    """What readable records say, as the fold takes it."""
    statements = [read(record.headers, record.value) for record in records]
    return [entry_of(statement.envelope, statement.data) for statement in statements]


async def pages(world: World, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page after page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await world.audit.json(path, cursor=cursor, **query)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


async def read_on(world: World, cursor: str | None = None, **query: Any) -> tuple[list[dict[str, Any]], str]:
    """All items from a cursor on, until it stays where it is."""
    items: list[dict[str, Any]] = []
    while True:
        page = await world.audit.json("/v1/events", cursor=cursor, **query)
        items += page["items"]
        if page["next_cursor"] == cursor:
            assert page["items"] == []
            return items, page["next_cursor"]
        cursor = page["next_cursor"]


async def holds(ask: Any, due: Any) -> bool:
    """Whether the answer is the one that is due."""
    return bool(await ask() == due)
