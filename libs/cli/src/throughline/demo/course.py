"""What an agent will do with one leg of one visit, decided beforehand: a list of steps, each so long after the last."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from throughline.day_texts import ESCALATED_BECAUSE, SUMMARIES, TRANSFER_NOTES
from throughline.demo.crew import Agent
from throughline.demo.plan import Visit

Verb = Literal["accept", "decline", "look", "pause", "resume", "escalate", "transfer", "resolve"]
State = Literal["offered", "connected", "paused"]

DECLINES, LETS_LAPSE, LOOKS, USES = 0.05, 0.005, 0.5, 0.6
BUSY_WITH = ("I am still writing up the last one.", "Not my subject, somebody else will be quicker.", "Fire drill.")
ANSWERS_S = (0.6, 6.0)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the agent does, so many seconds of the day after the one before.

    `body` goes with the command. To `look` is to read the suggestions; `uses` says whether the best of them helps.
    """

    after_s: float
    verb: Verb
    body: dict[str, Any] = field(default_factory=dict)
    uses: bool = False


def course(visit: Visit, agent: Agent, leg: int, seed: int, state: State = "offered") -> tuple[Step, ...]:
    """The steps from `state` on; none where he lets the offer lapse. The same arguments give the same steps.

    An agent below the tier that the visit needs escalates it; one who does not serve the queue where it belongs passes
    it on; else he resolves it. Only who is offered something can decline it or let it lapse.
    """
    chance = random.Random(f"course/{seed}/{visit.number}/{agent.agent_id}/{leg}")
    mood, answer_s = chance.random(), chance.uniform(*ANSWERS_S)
    if state == "offered":
        if mood < LETS_LAPSE:
            return ()
        if mood < LETS_LAPSE + DECLINES:
            return (Step(answer_s, "decline", {"reason": chance.choice(BUSY_WITH)}),)
    opening = {"offered": (Step(answer_s, "accept"),), "paused": (Step(answer_s, "resume"),), "connected": ()}[state]
    return (*opening, *_talk(visit, agent, chance))


def _talk(visit: Visit, agent: Agent, chance: random.Random) -> Iterator[Step]:
    if chance.random() < LOOKS:
        yield Step(visit.talk_s / 8, "look", uses=chance.random() < USES)
    if agent.tier < visit.needs_tier:
        yield Step(visit.talk_s / 3, "escalate", {"by": agent.agent_id, "reason": chance.choice(ESCALATED_BECAUSE)})
        return
    if visit.transfer_to is not None and visit.transfer_to not in agent.queues:
        body = {"to": {"queue": visit.transfer_to}, "note": TRANSFER_NOTES[visit.transfer_to]}
        yield Step(visit.talk_s / 4, "transfer", body)
        return
    if visit.hold is not None:
        yield Step(visit.talk_s / 2, "pause", {"reason": visit.hold.reason})
        yield Step(visit.hold.lasts_s, "resume")
    code, summary = chance.choice(SUMMARIES)
    yield Step(visit.talk_s / (2 if visit.hold else 1), "resolve", {"code": code, "summary": summary})
