"""One business day of a made-up bank as import lines: who gets in touch, when, over which channel and about what."""

from __future__ import annotations

import random

from throughline.day_contacts import contact_of, some_channel, some_customer, some_queue
from throughline.day_course import Desk, Inquiry, run_its_course
from throughline.day_figures import CALLS_BY_HOUR, STAFFED_HOURS
from throughline.day_story import Line, Story
from throughline.spans import DAY_US, HOUR_US

CONTACTS_A_DAY = 1_200
CONTACTS_A_TEAM = 1_500  # one bank's agents can just about serve so many


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
    queue, channel = some_queue(chance), some_channel(chance)
    hour = (at_us - midnight_us) // HOUR_US
    if hour not in STAFFED_HOURS and channel == "chat":
        channel = "email"
    return Inquiry(contact_of(chance, channel, queue, some_customer(chance, contacts)), queue, channel, hour)
