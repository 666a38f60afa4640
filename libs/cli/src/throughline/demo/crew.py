"""Who serves at the bank on the demo's day, and when each of them is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from throughline.day_texts import SKILLS
from throughline.demo.scale import CLOSES_S, HOUR_S, OPENS_S

CONTACTS_A_CREW = 400  # so many in a day leave this crew short at the peak, as the log's bank was
DAILY = ("accounts", "callbacks", "online-banking")
SALES = ("new-customers", "callbacks")
SECURITIES = ("securities",)
ALL = ("accounts", "new-customers", "securities", "callbacks", "online-banking")
WRITTEN = {"email": 1, "web": 1, "sms": 1, "social": 1}
LUNCH_S = 45 * 60
LOST_AT_S, LOST_FOR_S = 14 * HOUR_S, HOUR_S  # somebody's computer fails, calls and all


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who serves; times of the day in seconds after midnight."""

    agent_id: str
    name: str
    tier: int
    queues: tuple[str, ...]
    channels: tuple[tuple[str, int], ...]
    from_s: int = OPENS_S
    until_s: int = CLOSES_S
    lunch_s: int | None = None
    lost: bool = False

    @property
    def capacity(self) -> dict[str, int]:
        """How many contacts at once, by channel."""
        return dict(self.channels)


@dataclass(frozen=True, slots=True)
class Turn:
    """An agent's presence changes at that time of the day, in seconds after midnight."""

    at_s: int
    agent_id: str
    status: str


def crew(contacts: int) -> tuple[Agent, ...]:
    """Enough agents for so many contacts in a day; those of a second team carry its number."""
    return tuple(agent for team in range(1, -(-contacts // CONTACTS_A_CREW) + 1) for agent in _team(team))


def registration(agent: Agent, run: str) -> dict[str, Any]:
    """The body that registers an agent with the router; his queues are the run's own."""
    own = {SKILLS[queue] for queue in agent.queues}
    return {
        "name": agent.name,
        "queues": [f"{queue}-{run}" for queue in agent.queues],
        "tier": agent.tier,
        "skills": {skill: 4 if skill in own else 2 for skill in sorted(set(SKILLS.values()))},
        "languages": ["en"],
        "channels": agent.capacity,
    }


def turns(agents: Iterable[Agent]) -> list[Turn]:
    """Every change of presence between opening and closing, in the order of time.

    Who goes home goes `away` first: he finishes what he has and is offered nothing more. Who is lost goes `offline`.
    """
    return sorted((turn for agent in agents for turn in _turns(agent)), key=lambda turn: turn.at_s)


def _turns(agent: Agent) -> Iterable[Turn]:
    yield Turn(agent.from_s, agent.agent_id, "available")
    if agent.lunch_s is not None:
        yield Turn(agent.lunch_s, agent.agent_id, "away")
        yield Turn(agent.lunch_s + LUNCH_S, agent.agent_id, "available")
    if agent.lost:
        yield Turn(LOST_AT_S, agent.agent_id, "offline")
        yield Turn(LOST_AT_S + LOST_FOR_S, agent.agent_id, "available")
    if agent.until_s < CLOSES_S:
        yield Turn(agent.until_s, agent.agent_id, "away")


def _team(team: int) -> Iterable[Agent]:
    early, late = {"until_s": 16 * HOUR_S}, {"from_s": 11 * HOUR_S}
    noon, one = {"lunch_s": 12 * HOUR_S}, {"lunch_s": 13 * HOUR_S}
    return (
        _agent(team, "Adaeze", 1, DAILY, **early, **noon),
        _agent(team, "Bruno", 1, DAILY, lost=True),
        _agent(team, "Chiara", 1, DAILY, **one),
        _agent(team, "Dmitri", 1, DAILY, **early, **one),
        _agent(team, "Elif", 1, DAILY, **noon),
        _agent(team, "Farid", 1, DAILY),
        _agent(team, "Greta", 1, DAILY, from_s=9 * HOUR_S),
        _agent(team, "Hana", 1, DAILY, **late),
        _agent(team, "Imre", 1, DAILY, **late),
        _agent(team, "Jonas", 1, DAILY, from_s=10 * HOUR_S, until_s=19 * HOUR_S),
        _agent(team, "Katya", 1, DAILY, from_s=10 * HOUR_S, until_s=19 * HOUR_S),
        _agent(team, "Mehwish", 1, SALES, **noon),
        _agent(team, "Nils", 1, SALES),
        _agent(team, "Rosa", 1, SECURITIES),
        _agent(team, "Sven", 1, SECURITIES, **early),
        _agent(team, "Uma", 2, ALL, **one),
        _agent(team, "Viktor", 2, ALL),
        _agent(team, "Wanda", 2, ALL, **noon),
        _agent(team, "Yusuf", 3, ALL),
        _agent(team, "Zofia", 3, ALL, **one),
    )


def _agent(team: int, name: str, tier: int, queues: tuple[str, ...], **times: Any) -> Agent:
    known = f"{name.lower()}-{team}" if team > 1 else name.lower()
    channels = (("voice", 1), ("chat", 2), *WRITTEN.items())
    return Agent(known, name, tier, queues, channels, **times)
