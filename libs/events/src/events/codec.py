"""Events to bytes and back: CloudEvents headers, JSON payloads, and personal members sealed under their person's key.

A payload is the data's public members as they were sent and, where there are personal ones, a member `sealed` with the
key's id, a nonce and an AES-256-GCM box of the rest; the event's id is the box's additional data, so that no box can be
moved to another event.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final, Protocol

from pydantic_core import from_json, to_json

from events.base import Fact
from events.catalogue import CATALOGUE
from events.headers import Headers, Unreadable, headers_of, read_headers
from events.personal import Plan, merge, plan_of, split
from events.upcast import VERSIONS, Versions

__all__ = [
    "SEALED",
    "Headers",
    "Opener",
    "Sealer",
    "Unreadable",
    "decode",
    "encode",
    "encode_data",
    "headers_of",
    "read_headers",
    "unseal",
    "without_personal",
]

SEALED: Final = "sealed"


class Sealer(Protocol):
    """Seals with a key that it has by its id."""

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """(nonce, box)."""
        ...


class Opener(Protocol):
    """Opens what was sealed."""

    def open(self, key_id: str, nonce: bytes, box: bytes, aad: bytes) -> bytes | None:
        """The plaintext; None where the key is destroyed or not known."""
        ...


def encode(fact: Fact, *, event_id: str, key_id: str | None = None, sealer: Sealer | None = None) -> bytes:
    """The payload of an event. ValueError where it has personal members and no key to seal them with."""
    # Iterating the members of `model_dump` keeps what was not set out of the log: a default is the reader's business.
    return _payload(plan_of(type(fact)), fact.model_dump(exclude_unset=True), event_id, key_id, sealer)


def encode_data(
    name: str, data: Mapping[str, Any], *, event_id: str, key_id: str | None = None, sealer: Sealer | None = None
) -> bytes:
    """The payload of an event of this type from checked raw data, which come back member for member, nulls kept.

    KeyError for an unknown type; ValueError where there are personal members and no key.
    """
    return _payload(plan_of(CATALOGUE[name].model), data, event_id, key_id, sealer)


def decode(name: str, version: int, payload: bytes, versions: Versions = VERSIONS) -> dict[str, Any]:
    """The data of a payload in the type's newest version, still sealed. `name` and `version` are the envelope's.

    An unknown type's data are given as they stand. Raises Unreadable where the payload is no JSON object, and for a
    future version of a known type under its bare name.
    """
    data = _object(payload, "payload")
    if name not in versions.newest or version == versions.newest[name]:
        return data
    if not versions.know(name, version):
        raise Unreadable(f"version {version} of {name} is not known here")
    return _upcast(name, version, data, versions)


def unseal(
    name: str, data: Mapping[str, Any], event_id: str, opener: Opener, versions: Versions = VERSIONS
) -> dict[str, Any]:
    """Decoded data with the personal members back in; without them where the key is destroyed or not known.

    Raises Unreadable where the box opens and holds no JSON object.
    """
    public = without_personal(data)
    sealed = data.get(SEALED)
    opened = _open(sealed, event_id, opener) if isinstance(sealed, dict) else None
    if not isinstance(sealed, dict) or opened is None:
        return public
    personal = _object(opened, "box")
    version = sealed.get("version")
    if isinstance(version, int) and versions.know(name, version):
        personal = versions.personal(name, version, personal)
    return merge(public, personal)


def without_personal(data: Mapping[str, Any]) -> dict[str, Any]:
    """Decoded data without what is sealed."""
    return {member: value for member, value in data.items() if member != SEALED}


def _payload(plan: Plan, data: Mapping[str, Any], event_id: str, key_id: str | None, sealer: Sealer | None) -> bytes:
    if not plan:
        return to_json(data)
    public, personal = split(plan, data)
    if personal:
        if key_id is None or sealer is None:
            raise ValueError(f"event {event_id} has personal members and no key to seal them with")
        nonce, box = sealer.seal(key_id, to_json(personal), event_id.encode())
        public[SEALED] = {"key_id": key_id, "nonce": b64encode(nonce).decode(), "box": b64encode(box).decode()}
    return to_json(public)


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise Unreadable(f"its {what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable(f"its {what} is no JSON object")
    return value


def _upcast(name: str, version: int, data: dict[str, Any], versions: Versions) -> dict[str, Any]:
    """Only the public members can be changed yet; the box gets the version that it was sealed in, for `unseal`."""
    upcast = versions.public(name, version, without_personal(data))
    if isinstance(sealed := data.get(SEALED), dict):
        upcast[SEALED] = sealed | {"version": version}
    return upcast


def _open(sealed: Mapping[str, Any], event_id: str, opener: Opener) -> bytes | None:
    key_id, nonce, box = sealed.get("key_id"), sealed.get("nonce"), sealed.get("box")
    if not (isinstance(key_id, str) and isinstance(nonce, str) and isinstance(box, str)):
        return None
    try:
        return opener.open(key_id, b64decode(nonce, validate=True), b64decode(box, validate=True), event_id.encode())
    except (binascii.Error, ValueError):
        # Not base64: a box that nobody sealed here opens to nothing, like one whose key is gone.
        return None
