"""A small world: requests of every kind in the log, some sealed, some broken, some told twice."""

from __future__ import annotations

import base64
import os
import random
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.records import Record
from chassis.sealing import AesSealer
from events.codec import encode_data
from events.keys import KeyDestroyed, KeyMade
from tests.audit.given import Writer
from tests.support.audit import MASTER_KEY

CHANNELS = ("voice", "chat", "email")


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
        self._key = os.urandom(32)

    def made(self) -> Record:
        """KeyMade, as intake tells it."""
        nonce = os.urandom(12)
        wrapped = AESGCM(MASTER_KEY).encrypt(nonce, self._key, self.key_id.encode())
        fact = KeyMade(key_id=self.key_id, algorithm="AES-256-GCM", nonce=_text(nonce), wrapped=_text(wrapped))
        return _key_event("KeyMade", self.key_id, fact.model_dump_json(exclude_unset=True))

    def destroyed(self) -> Record:
        """KeyDestroyed: the person is erased."""
        fact = KeyDestroyed(key_id=self.key_id)
        return _key_event("KeyDestroyed", self.key_id, fact.model_dump_json(exclude_unset=True))

    def says(
        self, writer: Writer, type_: str, data: dict[str, Any], *, subject: str, id_: str, minute: float = 0
    ) -> Record:
        """An event whose personal members are sealed under his key."""
        value = encode_data(type_, data, event_id=id_, key_id=self.key_id, sealer=AesSealer({self.key_id: self._key}))
        return writer.event(type_, subject=subject, id_=id_, minute=minute, value=value)


def _key_event(type_: str, key_id: str, payload: str) -> Record:
    return Writer("keys").event(type_, subject=key_id, value=payload.encode(), source="/services/intake")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
