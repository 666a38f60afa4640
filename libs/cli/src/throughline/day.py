"""One business day of a made-up bank as import lines: who gets in touch, when, over which channel and about what."""

from __future__ import annotations

import random
from typing import Any

from throughline.day_course import Desk, Inquiry, run_its_course
from throughline.day_figures import CALLS_BY_HOUR, KINDS, PREFERRED_SHARE, STAFFED_HOURS
from throughline.day_story import Line, Story
from throughline.day_texts import PRODUCTS, SKILLS, TOPICS
from throughline.spans import DAY_US, HOUR_US

CONTACTS_A_DAY = 1_200
CONTACTS_A_TEAM = 1_500  # one bank's agents can just about serve so many
CHANNELS = {"voice": 0.62, "chat": 0.14, "email": 0.12, "web": 0.05, "sms": 0.04, "social": 0.03}
RETURNING_SHARE = 0.3

FIRST = ("Amina", "Bela", "Clara", "Darius", "Edda", "Fabio", "Gesa", "Hugo", "Ida", "Jannik", "Kaia", "Levin", "Mona")
LAST = ("Achterberg", "Bosko", "Castell", "Dragan", "Ekholm", "Fontana", "Grabner", "Holub", "Ibsen", "Jaritz", "Korda")


def day(midnight_us: int, seed: int, contacts: int = CONTACTS_A_DAY) -> list[Line]:
    """The lines of a day's contacts in the order of their times; the same arguments always give the same lines.

    `midnight_us` is the day's beginning in µs since the epoch. Arrivals, waits, patience and handling times follow the
    figures of `day_figures`, which are of telephone calls; the other channels are slower by factors of our own.
    """
    chance = random.Random(f"{seed}/{midnight_us}")
    desk = Desk(chance, teams=-(-contacts // CONTACTS_A_TEAM))
    stories: list[Story] = []
    for number, at_us in enumerate(_arrivals(chance, midnight_us, contacts), 1):
        story = Story(f"day-{midnight_us // DAY_US}-{seed}-{number:05d}")
        inquiry = _inquiry(chance, contacts, at_us, midnight_us)
        story.tell("ContactReceived", at_us, inquiry.contact)
        run_its_course(story, inquiry, desk)
        stories.append(story)
    return sorted((line for story in stories for line in story.lines), key=lambda line: str(line["occurred_at"]))


def _arrivals(chance: random.Random, midnight_us: int, contacts: int) -> list[int]:
    """Times of arrival: the hour by the log's rates, evenly within the hour."""
    hours = chance.choices(range(24), CALLS_BY_HOUR, k=contacts)
    return sorted(midnight_us + hour * HOUR_US + chance.randrange(HOUR_US) for hour in hours)


def _inquiry(chance: random.Random, contacts: int, at_us: int, midnight_us: int) -> Inquiry:
    queue = chance.choices(list(KINDS), [kind.share for kind in KINDS.values()])[0]
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    hour = (at_us - midnight_us) // HOUR_US
    if hour not in STAFFED_HOURS and channel == "chat":
        channel = "email"
    return Inquiry(_contact(chance, channel, queue, _customer(chance, contacts)), queue, channel, hour)


def _customer(chance: random.Random, contacts: int) -> int:
    """A customer's number; about RETURNING_SHARE of a day's contacts are of somebody who was there before."""
    return chance.randrange(round(contacts / (2 * RETURNING_SHARE)))


def _contact(chance: random.Random, channel: str, queue: str, customer: int) -> dict[str, Any]:
    subject, body = chance.choice(TOPICS[queue])
    product, version = chance.choice(PRODUCTS)
    preferred = chance.random() < PREFERRED_SHARE
    contact = {
        "channel": channel,
        "customer": _identity(channel, customer),
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


def _identity(channel: str, number: int) -> dict[str, str]:
    """A made-up customer: names of our own, a mail domain and telephone numbers that are reserved for fiction."""
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    identity = {"id": f"c-{number:05d}", "name": f"{first} {last}"}
    if channel in ("voice", "sms"):
        return identity | {"phone": f"+447700900{number % 1000:03d}"}
    if channel == "social":
        return identity | {"handle": f"@{first.lower()}_{number}"}
    return identity | {"email": f"{first.lower()}.{last.lower()}.{number}@example.org"}
