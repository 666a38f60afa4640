"""Identifiers: time-ordered for what is new, derived for what must come out the same again."""

import uuid

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7 in lower case: later ones sort later, to the millisecond (RFC 9562, section 5.7)."""
    return str(uuid_utils.uuid7())


def derived_id(namespace: uuid.UUID, text: str) -> str:
    """The UUIDv5 of a text in a namespace, in lower case: the same text always gives the same id."""
    return str(uuid.uuid5(namespace, text))
