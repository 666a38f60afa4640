"""What becomes of a contact: it is given up, or served over one or more legs, resolved, and now and then reopened."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from throughline.day_figures import KINDS, MENU_SECONDS, QUEUED_SHARE_BY_HOUR, STAFFED_HOURS, Quantiles, at_share
from throughline.day_story import Story
from throughline.day_texts import (
    AGENTS,
    ESCALATED_BECAUSE,
    FEEDBACK,
    FOLLOW_UPS,
    STILL_WRONG,
    SUMMARIES,
    TRANSFER_NOTES,
    Agent,
)

SECOND_US = 1_000_000
TOP_TIER = 3
SPOKEN = ("voice", "chat")  # the customer is there and may run out of patience
SLOWER = {
    "voice": (1.0, 1.0),
    "chat": (1.0, 1.4),
    "sms": (4.0, 1.2),
    "social": (9.0, 1.2),
    "email": (25.0, 2.0),
    "web": (20.0, 2.0),
}
DECLINES, HOLDS, TRANSFERS, ESCALATES, REOPENS, RATES, WRITES_AGAIN = 0.05, 0.14, 0.05, 0.05, 0.04, 0.18, 0.12
CLOCK_BEHIND = 0.08  # of the calls, as the log's telephone exchange stated nearly all of its connections


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the customer wants, as received; `hour` is the hour of the day of the arrival."""

    contact: dict[str, Any]
    queue: str
    channel: str
    hour: int


@dataclass(frozen=True, slots=True)
class Talk:
    """How one leg will go once it is offered, in µs: ringing, talking, and the pause in the middle, if any."""

    answer_us: int
    talk_us: int
    away_us: int
    reason: str | None
    clock_behind_us: int

    @property
    def lasts_us(self) -> int:
        """From the offer to the end of the talk."""
        return self.answer_us + self.talk_us + self.away_us


class Desk:
    """The agents and when each is on a call: nobody is on two calls at once."""

    def __init__(self, chance: random.Random, teams: int) -> None:
        """`teams` of the bank's agents; the names of the second and later ones carry its number."""
        self.chance = chance
        self._agents = [agent if team == 1 else agent.of_team(team) for team in range(1, teams + 1) for agent in AGENTS]
        self._calls: dict[str, list[tuple[int, int]]] = {agent.agent_id: [] for agent in self._agents}

    def somebody(self, inquiry: Inquiry, tier: int, from_us: int, lasts_us: int) -> tuple[Agent, int]:
        """Who takes it, and how many µs after `from_us`: when the first of those fitting is free for that long."""
        fitting = [agent for agent in self._agents if agent.tier == tier and inquiry.queue in agent.queues]
        if inquiry.channel not in SPOKEN:
            return self.chance.choice(fitting), 0
        start = from_us
        while True:
            for agent in self.chance.sample(fitting, len(fitting)):
                if self._free(agent, start, start + lasts_us):
                    self._calls[agent.agent_id].append((start, start + lasts_us))
                    return agent, start - from_us
            start += 5 * SECOND_US

    def _free(self, agent: Agent, start: int, end: int) -> bool:
        return all(other_end <= start or end <= other for other, other_end in self._calls[agent.agent_id])


def run_its_course(story: Story, inquiry: Inquiry, desk: Desk) -> None:
    """Goes on from ContactReceived to the end that the day holds for it."""
    chance = desk.chance
    wait_us, gave_up = _wait(chance, inquiry)
    if gave_up:
        story.tell("Abandoned", wait_us, {"reason": "hung_up" if inquiry.channel == "voice" else "left"})
        return
    if inquiry.channel not in SPOKEN and chance.random() < WRITES_AGAIN:
        story.tell("MessageReceived", wait_us // 2, {"channel": inquiry.channel, "body": chance.choice(FOLLOW_UPS)})
        wait_us -= wait_us // 2
    _serve(story, inquiry, desk, wait_us)
    if chance.random() < REOPENS:
        message = {"channel": "email", "body": chance.choice(STILL_WRONG)}
        story.tell("MessageReceived", _us(chance.uniform(600, 9_000)), message)
        story.tell("Reopened", _us(chance.uniform(0.002, 0.02)), {"reason": "message"})
        _serve(story, inquiry, desk, wait_us // 2)
    if chance.random() < RATES:
        _rate(story, chance, patient=wait_us < 120 * SECOND_US)


def _wait(chance: random.Random, inquiry: Inquiry) -> tuple[int, bool]:
    """The µs until an agent is found or the customer goes, and whether he goes."""
    kind = KINDS[inquiry.queue]
    spoken = inquiry.channel in SPOKEN
    menu_us = _drawn(chance, MENU_SECONDS) if inquiry.channel == "voice" else 0
    closed = inquiry.hour not in STAFFED_HOURS
    queues = chance.random() < QUEUED_SHARE_BY_HOUR[inquiry.hour]
    if spoken and (closed or (not queues and chance.random() < kind.leaves_in_menu)):
        return menu_us + _us(chance.uniform(1, 8)), True
    patience_us, wait_us = _drawn(chance, kind.patience), _drawn(chance, kind.wait) if queues else 0
    if spoken and patience_us < wait_us:
        return menu_us + patience_us, True
    until_opening_us = _us(3_600 * (STAFFED_HOURS.start - inquiry.hour)) if closed else 0
    return until_opening_us + menu_us + round(wait_us * SLOWER[inquiry.channel][0]), False


def _serve(story: Story, inquiry: Inquiry, desk: Desk, wait_us: int) -> None:
    """Leg after leg until it is resolved: declined offers, transfers and escalations open the next one."""
    chance, tier = desk.chance, 1
    while True:
        talk = _talk(chance, inquiry)
        agent = _offer(story, inquiry, desk, tier, wait_us, talk)
        wait_us = _us(chance.uniform(4, 40))
        if chance.random() < DECLINES:
            reason = chance.choice(("declined", "expired"))
            story.tell("OfferClosed", _us(chance.uniform(2, 20)), {"reason": reason, "agent_id": agent.agent_id})
            continue
        _connect(story, talk, agent)
        if tier < TOP_TIER and chance.random() < ESCALATES:
            tier = _escalate(story, chance, tier)
        elif chance.random() < TRANSFERS:
            inquiry = _transfer(story, inquiry, chance, agent)
        else:
            code, summary = chance.choice(SUMMARIES)
            data = {"agent_id": agent.agent_id, "code": code, "summary": summary}
            return story.tell("Resolved", _us(chance.uniform(0.5, 30)), data)


def _talk(chance: random.Random, inquiry: Inquiry) -> Talk:
    wait_factor, work_factor = SLOWER[inquiry.channel]
    voice = inquiry.channel == "voice"
    behind = voice and chance.random() < CLOCK_BEHIND
    pauses = chance.random() < HOLDS
    return Talk(
        answer_us=0 if behind else _us(chance.uniform(0.6, 6) * wait_factor),
        talk_us=round(_drawn(chance, KINDS[inquiry.queue].service) * work_factor),
        away_us=_us(chance.uniform(8, 120) * wait_factor) if pauses else 0,
        reason=("hold" if voice else chance.choice(("customer", "third_party"))) if pauses else None,
        clock_behind_us=_us(chance.uniform(1, 2)) if behind else 0,
    )


def _offer(story: Story, inquiry: Inquiry, desk: Desk, tier: int, wait_us: int, talk: Talk) -> Agent:
    agent, more_us = desk.somebody(inquiry, tier, story.now_us + wait_us, talk.lasts_us)
    story.tell("Routed", wait_us + more_us, {"agent_id": agent.agent_id, "queue": inquiry.queue, "tier": tier})
    return agent


def _connect(story: Story, talk: Talk, agent: Agent) -> None:
    who = {"agent_id": agent.agent_id}
    story.tell("Connected", talk.answer_us, who, clock_behind_us=talk.clock_behind_us)
    if talk.reason is None:
        story.now_us += talk.talk_us
        return
    story.tell("Paused", talk.talk_us // 2, {"reason": talk.reason} | who)
    story.tell("Resumed", talk.away_us, who)
    story.now_us += talk.talk_us - talk.talk_us // 2


def _escalate(story: Story, chance: random.Random, tier: int) -> int:
    """Tells the decision and the Requeued that names it as its cause; gives the new tier."""
    data = {"from_tier": tier, "to_tier": tier + 1, "reason": chance.choice(ESCALATED_BECAUSE), "by": "policy:tiers"}
    story.tell("Escalated", _us(chance.uniform(1, 10)), data)
    story.tell("Requeued", _us(chance.uniform(0.002, 0.03)), {"reason": "escalated", "tier": tier + 1})
    return tier + 1


def _transfer(story: Story, inquiry: Inquiry, chance: random.Random, agent: Agent) -> Inquiry:
    """Passes it on to another queue; gives the inquiry as it is from there on."""
    queue = chance.choice([each for each in TRANSFER_NOTES if each != inquiry.queue])
    data = {"to": {"queue": queue}, "by": agent.agent_id, "note": TRANSFER_NOTES[queue]}
    story.tell("Transferred", _us(chance.uniform(1, 15)), data)
    return replace(inquiry, queue=queue)


def _rate(story: Story, chance: random.Random, *, patient: bool) -> None:
    weights = (1, 1, 3, 8, 9) if patient else (3, 4, 5, 4, 2)
    score = chance.choices((1, 2, 3, 4, 5), weights)[0]
    data = {"score": score, "text": chance.choice(FEEDBACK[score])}
    story.tell("FeedbackReceived", _us(chance.uniform(60, 4_000)), data)


def _drawn(chance: random.Random, quantiles: Quantiles) -> int:
    return _us(at_share(quantiles, chance.random()))


def _us(seconds: float) -> int:
    return round(seconds * SECOND_US)
