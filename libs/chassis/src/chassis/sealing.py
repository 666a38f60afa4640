"""Sealing of personal data with AES-256-GCM: implements the codec's Sealer and Opener over keys already at hand."""

from collections.abc import Mapping


class AesSealer:
    """Seals and opens with the keys that it is given: key id → 32 bytes.

    The box is the ciphertext followed by the 16-byte tag; the nonce has 12 random bytes (NIST SP 800-38D, 8.2.2).
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        raise NotImplementedError

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """(nonce, box); KeyError where the key is not at hand."""
        raise NotImplementedError

    def open(self, key_id: str, nonce: bytes, box: bytes, aad: bytes) -> bytes | None:
        """The plaintext; None where the key is destroyed or not known, or the box was not sealed with it."""
        raise NotImplementedError
