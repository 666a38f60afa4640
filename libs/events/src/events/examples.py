"""Golden examples: one event of each type and version as it stands on the wire, which every later reader must read."""

from hashlib import sha256
from typing import Any

from events.catalogue import EventType
from events.codec import decode, encode_data, headers_of, read_headers, unseal
from events.samples import CUSTOMER_ID, SAMPLES, envelope


class GlassBox:
    """Seals nothing: the box of an example is its plain text, so that the example can be read without a key.

    The nonce ties the box to its key and event, so that one that was moved elsewhere does not open here either.
    """

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """(nonce, box), the box being the plain text."""
        return self._nonce(key_id, aad), plaintext

    def open(self, key_id: str, nonce: bytes, box: bytes, aad: bytes) -> bytes | None:
        """The plain text, which the box is; None where the key or the event is another."""
        return box if nonce == self._nonce(key_id, aad) else None

    def _nonce(self, key_id: str, aad: bytes) -> bytes:
        return sha256(key_id.encode() + b"/" + aad).digest()[:12]


def example_of(kind: EventType) -> dict[str, Any]:
    """The example of a type in its newest version: headers and payload as text, and the data that they stand for."""
    around, data = envelope(kind.name), SAMPLES[kind.name]
    payload = encode_data(kind.name, data, event_id=around.event_id, key_id=CUSTOMER_ID, sealer=GlassBox())
    headers = {name: value.decode() for name, value in headers_of(around)}
    return {"key": around.partition_key, "headers": headers, "payload": payload.decode(), "data": data}


def data_of(example: dict[str, Any]) -> dict[str, Any]:
    """The data of an example as today's reader reads them, in the newest version, opened. Raises Unreadable."""
    around = read_headers([(name, value.encode()) for name, value in example["headers"].items()])
    data = decode(around.type, around.version, example["payload"].encode())
    return unseal(around.type, data, around.event_id, GlassBox())
