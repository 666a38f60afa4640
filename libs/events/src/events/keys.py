"""The topic `keys`: the keys under which personal data is sealed, and their end. Compacted by `key_id`."""

from typing import Annotated, Literal

from pydantic import Field

from events.base import Fact, Name, Text

Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class KeyMade(Fact):
    """A key was made, for a customer or for an imported request (`request:<id>`)."""

    key_id: Name
    algorithm: Literal["AES-256-GCM"]
    """What the key is for, and what wraps it."""
    nonce: Base64
    wrapped: Base64
    """The key, sealed with the deployment's master key; the key id is its additional data."""
    wrapped_by: Name | None = None
    """A name of the master key, that it can be replaced: never the key itself."""


class KeyDestroyed(Fact):
    """A key was destroyed for ever; in the compacted topic it takes the place of the key."""

    key_id: Name
    reason: Text | None = None
    by: Text | None = None
