"""One spelling of JSON members, so that the same content always hashes the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson


def canonical(members: Mapping[str, Any]) -> bytes:
    """The members as sent: keys sorted at every depth, no blanks, no defaults filled in, integers exact.

    orjson writes integers of at most 64 bits; whatever holds a larger one is written by the standard library. Which of
    the two writes depends on the content alone, so the spelling does too.
    """
    try:
        return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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
