"""The day's customers: when each gets in touch, how long he bears it, what it takes to help him, what he does after.

All of it is drawn beforehand from the seed, so that the same seed makes the same customers, however fast the machine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from throughline.day_contacts import contact_of, some_channel, some_customer, some_queue
from throughline.day_figures import CALLS_BY_HOUR, KINDS, STAFFED_HOURS, at_share
from throughline.day_texts import FEEDBACK, FOLLOW_UPS, STILL_WRONG, TRANSFER_NOTES
from throughline.demo.scale import HOUR_S

SPOKEN = ("voice", "chat")  # the customer is there and may run out of patience
WORK = {"voice": 1.0, "chat": 1.4, "sms": 1.2, "social": 1.2, "email": 1.5, "web": 1.5}
NEEDS_TIER = {1: 0.90, 2: 0.08, 3: 0.02}
HOLDS, TRANSFERS, WRITES_AGAIN, RETURNS, STAYS_WRONG, RATES, POSTED_TWICE = 0.14, 0.05, 0.15, 0.5, 0.05, 0.2, 0.04
LONGEST = 0.97  # the share of the handling times that is drawn from: the last few would outlast the demo
OTHER_CHANNELS = ("email", "sms", "chat", "web")
TRIED = ("I have been waiting on your line and gave up.", "Nobody answered, so I write instead.")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the customer writes, so many seconds of the day after something."""

    after_s: float
    channel: str
    body: str


@dataclass(frozen=True, slots=True)
class Rating:
    """What he thinks of it, so many seconds of the day after it was resolved."""

    after_s: float
    score: int
    text: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause in the middle of the talk, and why."""

    lasts_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's day. Lengths are seconds of the day; `contact` names the bank's queues, not yet the run's."""

    number: int
    at_s: float
    contact: dict[str, Any]
    patience_s: float | None  # only where he is on the line
    talk_s: float
    hold: Hold | None
    needs_tier: int
    transfer_to: str | None
    writes_again: Note | None  # while he waits for an answer to what he wrote
    returns: Note | None  # after he hung up
    still_wrong: Note | None  # after it was resolved
    rating: Rating | None
    posted_twice: bool  # the gateway lost the answer and posts again under the same key

    @property
    def channel(self) -> str:
        """How he got in touch."""
        return str(self.contact["channel"])

    @property
    def queue(self) -> str:
        """The bank's queue."""
        return str(self.contact["queue"])


def plan(seed: int, contacts: int) -> tuple[Visit, ...]:
    """So many visits in the order of their arrival over the staffed hours; the same arguments give the same ones.

    One of them is sure to be escalated, since the demo shows such a one at its end: the first that is written.
    """
    times = _arrivals(random.Random(f"arrivals/{seed}"), contacts)
    visits = [_visit(random.Random(f"visit/{seed}/{number}"), number, at_s, contacts)
              for number, at_s in enumerate(times, 1)]  # fmt: skip
    return tuple(_with_an_escalation(visits))


def _arrivals(chance: random.Random, contacts: int) -> list[float]:
    """Times of the day in seconds: the hour by the log's rates, evenly within the hour."""
    rates = [CALLS_BY_HOUR[hour] for hour in STAFFED_HOURS]
    return sorted((hour + chance.random()) * HOUR_S for hour in chance.choices(STAFFED_HOURS, rates, k=contacts))


def _visit(chance: random.Random, number: int, at_s: float, contacts: int) -> Visit:
    queue, channel = some_queue(chance), some_channel(chance)
    kind, spoken = KINDS[queue], channel in SPOKEN
    patience_s, talk_s = at_share(kind.patience, chance.random()), at_share(kind.service, LONGEST * chance.random())
    return Visit(
        number=number,
        at_s=at_s,
        contact=contact_of(chance, channel, queue, some_customer(chance, contacts)),
        patience_s=patience_s if spoken else None,
        talk_s=talk_s * WORK[channel],
        hold=_hold(chance, channel) if chance.random() < HOLDS else None,
        needs_tier=chance.choices(list(NEEDS_TIER), list(NEEDS_TIER.values()))[0],
        transfer_to=_elsewhere(chance, queue) if chance.random() < TRANSFERS else None,
        writes_again=_note(chance, channel, FOLLOW_UPS, (30, 300))
        if _happens(chance, WRITES_AGAIN, not spoken)
        else None,
        returns=_note(chance, channel, TRIED, (300, 1_500)) if _happens(chance, RETURNS, spoken) else None,
        still_wrong=_note(chance, channel, STILL_WRONG, (200, 600)) if chance.random() < STAYS_WRONG else None,
        rating=_rating(chance) if chance.random() < RATES else None,
        posted_twice=chance.random() < POSTED_TWICE,
    )


def _happens(chance: random.Random, share: float, where: bool) -> bool:
    return chance.random() < share and where


def _hold(chance: random.Random, channel: str) -> Hold:
    reason = "hold" if channel == "voice" else chance.choice(("customer", "third_party"))
    return Hold(chance.uniform(8, 120) * (1 if channel == "voice" else 3), reason)


def _elsewhere(chance: random.Random, queue: str) -> str:
    return chance.choice([each for each in TRANSFER_NOTES if each != queue])


def _note(chance: random.Random, channel: str, bodies: tuple[str, ...], within_s: tuple[float, float]) -> Note:
    other = chance.choice([each for each in OTHER_CHANNELS if each != channel])
    return Note(chance.uniform(*within_s), other, chance.choice(bodies))


def _rating(chance: random.Random) -> Rating:
    score = chance.choices((1, 2, 3, 4, 5), (1, 1, 3, 8, 9))[0]
    return Rating(chance.uniform(60, 600), score, chance.choice(FEEDBACK[score]))


def _with_an_escalation(visits: list[Visit]) -> list[Visit]:
    """The first who writes is not on the line, so he cannot hang up before somebody escalates him."""
    first = next((place for place, visit in enumerate(visits) if visit.patience_s is None), 0)
    hold = Hold(60.0, "third_party")
    return [
        replace(visit, needs_tier=2, hold=hold, patience_s=None) if place == first else visit
        for place, visit in enumerate(visits)
    ]
