"""Sealing of personal data with AES-256-GCM: implements the codec's Sealer and Opener over keys already at hand."""

import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class AesSealer:
    """Seals and opens with the keys that it is given: key id → 32 bytes.

    The box is the ciphertext followed by the 16-byte tag; the nonce has 12 random bytes (NIST SP 800-38D, 8.2.2), which
    is safe for 2³² boxes under one key: more than a customer has events.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """(nonce, box); KeyError where the key is not at hand."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce, AESGCM(self._keys[key_id]).encrypt(nonce, plaintext, aad)

    def open(self, key_id: str, nonce: bytes, box: bytes, aad: bytes) -> bytes | None:
        """The plaintext; None where the key is destroyed or not known, or the box was not sealed with it."""
        key = self._keys.get(key_id)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(nonce, box, aad)
        except (InvalidTag, ValueError):
            # A foreign nonce of another length is a ValueError: such a box was not sealed here either.
            return None
