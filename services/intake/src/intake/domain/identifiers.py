"""Who is calling: identifiers in one spelling each, and the customer id that follows from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

import phonenumbers
from email_validator import EmailNotValidError, validate_email

# Fixed for ever: a customer's id is derived under it before anything is stored, in every deployment alike.
NAMESPACE = UUID("6f0d3c52-6f0b-5c8e-9a55-0d9a4f1f7b21")
# In the order of trust: a mailbox and a number are the customer's own on every channel, a handle is of one network.
KINDS = ("email", "phone", "handle")
LONGEST_EMAIL = 320
LONGEST_PHONE = 250

# Addresses that the full check would return as they are: the common case, at a fiftieth of the price.
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]{1,40}\.)+(?:com|org|net|de|fr|it|es|nl|eu|uk|ch|at|pl|se|io|us|ca|au)"
)


def email(text: str) -> str:
    """The address in lower case with its domain in Unicode; as it stands where it is not one."""
    if len(text) > LONGEST_EMAIL:
        return text
    if len(text) <= 60 and PLAIN_EMAIL.fullmatch(text):
        return text
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return text


def phone(text: str) -> str:
    """The number as E.164, with `;ext=` where it has an extension; as it stands where it names no country."""
    if len(text) > LONGEST_PHONE:
        return text
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def handle(text: str) -> str:
    """The handle in Unicode's composed form, without blanks around it; some networks tell its case apart."""
    return unicodedata.normalize("NFC", text).strip() or text


NORMALISE = {"email": email, "phone": phone, "handle": handle}


def identifiers_of(customer: Mapping[str, Any]) -> tuple[UUID, ...]:
    """UUIDv5 of each identifier that a contact's `customer` carries, normalised, the most trusted first.

    They are what is stored: intake's tables know who is known without holding an address or a number.
    """
    found = ((kind, customer.get(kind)) for kind in KINDS)
    return tuple(uuid5(NAMESPACE, f"{kind}:{NORMALISE[kind](text)}") for kind, text in found if text)


def customer_id_of(given: str | None, identifiers: Iterable[UUID], known: Mapping[UUID, str]) -> str:
    """`customer.id` where given, else the first identity that is known, else the first identifier's own UUIDv5."""
    if given:
        return given
    first: UUID | None = None
    for identifier in identifiers:
        if identifier in known:
            return known[identifier]
        first = first or identifier
    if first is None:
        raise ValueError("a contact without customer.id carries at least one identifier")
    return str(first)


def thread_of(channel: str, thread: str) -> UUID:
    """UUIDv5 that stands for a gateway's thread on a channel: of one size, whatever the gateway's key is."""
    return uuid5(NAMESPACE, f"thread:{channel}:{thread}")
