"""The topic `audit.checkpoints`: signed heads of the Merkle trees over the log."""

from events.base import Count, Fact, Moment, Name, Sha256
from events.keys import Base64


class CheckpointSigned(Fact):
    """This many records of a partition have this root (RFC 6962, SHA-256)."""

    tree: Name
    """Topic and partition: `contacts/3`."""
    size: Count
    """How many records, from offset 0."""
    root: Sha256
    signed_at: Moment
    signer: Name
    """A name of the signing key."""
    signature: Base64
    """Ed25519 over the checkpoint's text."""
    text: Name
    """What was signed, byte for byte."""
