"""What the customers of the made-up bank bring when they get in touch: who they are, about what, over which channel."""

from __future__ import annotations

import random
from typing import Any

from throughline.day_figures import KINDS, PREFERRED_SHARE
from throughline.day_texts import PRODUCTS, SKILLS, TOPICS

CHANNELS = {"voice": 0.62, "chat": 0.14, "email": 0.12, "web": 0.05, "sms": 0.04, "social": 0.03}
RETURNING_SHARE = 0.3

FIRST = ("Amina", "Bela", "Clara", "Darius", "Edda", "Fabio", "Gesa", "Hugo", "Ida", "Jannik", "Kaia", "Levin", "Mona")
LAST = ("Achterberg", "Bosko", "Castell", "Dragan", "Ekholm", "Fontana", "Grabner", "Holub", "Ibsen", "Jaritz", "Korda")


def some_queue(chance: random.Random) -> str:
    """A queue, as often as the log's kinds of calls have it."""
    return chance.choices(list(KINDS), [kind.share for kind in KINDS.values()])[0]


def some_channel(chance: random.Random) -> str:
    """A channel; the shares are our own, since the log is of telephone calls alone."""
    return chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]


def some_customer(chance: random.Random, contacts: int) -> int:
    """A customer's number; about RETURNING_SHARE of a day's contacts are of somebody who was there before."""
    return chance.randrange(max(1, round(contacts / (2 * RETURNING_SHARE))))


def contact_of(chance: random.Random, channel: str, queue: str, customer: int) -> dict[str, Any]:
    """The body of a contact, as `POST /v1/contacts` and an imported ContactReceived take it."""
    subject, body = chance.choice(TOPICS[queue])
    product, version = chance.choice(PRODUCTS)
    preferred = chance.random() < PREFERRED_SHARE
    contact = {
        "channel": channel,
        "customer": identity(channel, customer),
        "subject": subject,
        "language": "en",
        "queue": queue,
        "skills": [SKILLS[queue]],
        "support_level": "preferred" if preferred else "standard",
        "severity": chance.choices((1, 2, 3, 4), (0.03, 0.12, 0.65, 0.2))[0],
        "priority": 60 if preferred else 0,
    }
    if channel != "voice":
        contact["body"] = body
    if queue == "online-banking":
        contact["context"] = {"product": product, "version": version}
    return contact


def identity(channel: str, number: int) -> dict[str, str]:
    """A made-up customer: names of our own, a mail domain and telephone numbers that are reserved for fiction."""
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    known = {"id": f"c-{number:05d}", "name": f"{first} {last}"}
    if channel in ("voice", "sms"):
        return known | {"phone": f"+447700900{number % 1000:03d}"}
    if channel == "social":
        return known | {"handle": f"@{first.lower()}_{number}"}
    return known | {"email": f"{first.lower()}.{last.lower()}.{number}@example.org"}
