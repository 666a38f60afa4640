"""One spelling of JSON members, so that the same content always hashes the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

_SPELLING: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, allow_nan=False
)


def canonical(members: Mapping[str, Any]) -> bytes:
    """The members as sent: keys sorted at every depth, no blanks, no defaults filled in, integers exact.

    The standard library writes it, not a faster one: what was hashed years ago must hash the same for ever.
    """
    return _SPELLING.encode(members).encode()


def content_hash(members: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical members: 32 bytes by which a retry is told from another use of the same key."""
    return hashlib.sha256(canonical(members)).digest()


def content_id(members: Mapping[str, Any]) -> UUID:
    """A UUID (version 8, RFC 9562: the first 122 free bits of the SHA-256) that stands for just this content."""
    return uuid8(content_hash(members))


def uuid8(digest: bytes) -> UUID:
    """The first 16 bytes of a digest as a UUID of version 8."""
    head = bytearray(digest[:16])
    head[6] = head[6] & 0x0F | 0x80
    head[8] = head[8] & 0x3F | 0x80
    return UUID(bytes=bytes(head))
