"""What others put into the log, as a producer takes it, and the key under which a customer's words are sealed."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import NamedTuple, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.records import Record
from chassis.sealing import AesSealer
from events.keys import KeyDestroyed, KeyMade

MASTER_KEY = bytes(range(32))


class Line(NamedTuple):
    """One record to be written; where no partition is named, it goes to the one of its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    partition: int | None = None

    @classmethod
    def of(cls, record: Record, partition: int | None = None) -> Self:
        """A record as it was read, to be written once more."""
        return cls(record.topic, record.key, record.value, record.headers, partition)


class CustomerKey:
    """A customer's own key, and what intake tells of it on the topic `keys`."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._key = os.urandom(32)

    def fact(self) -> KeyMade:
        """The key as it is made known, wrapped under the tests' master key."""
        nonce = os.urandom(12)
        wrapped = AESGCM(MASTER_KEY).encrypt(nonce, self._key, self.key_id.encode())
        texts = [base64.b64encode(raw).decode() for raw in (nonce, wrapped)]
        return KeyMade(key_id=self.key_id, algorithm="AES-256-GCM", nonce=texts[0], wrapped=texts[1])

    def made(self) -> bytes:
        """The payload of KeyMade."""
        return self.fact().model_dump_json(exclude_unset=True).encode()

    def destroyed(self) -> bytes:
        """The payload of KeyDestroyed: the person is erased."""
        return KeyDestroyed(key_id=self.key_id).model_dump_json(exclude_unset=True).encode()

    def sealer(self) -> AesSealer:
        """Seals what he says."""
        return AesSealer({self.key_id: self._key})
