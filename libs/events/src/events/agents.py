"""The topic `agents`: who can take requests, and whether he is there."""

from typing import Annotated, Literal

from pydantic import Field

from events.base import Count, Fact, Name, Text, Tier, Version
from events.contacts.contact import Channel

Level = Annotated[int, Field(ge=1, le=5)]
Presence = Literal["available", "away", "offline"]


class Agent(Fact):
    """An agent as he stands from now on, in whole: a reader needs no earlier event."""

    agent_id: Name
    name: Text
    queues: list[Name]
    tier: Tier
    skills: dict[Name, Level]
    """Skill → level, 5 is best."""
    languages: list[Name]
    """Empty: any."""
    channels: dict[Channel, Count]
    """Channel → how many requests at once."""
    auto_accept: bool
    version: Version | None = None
    """Counts the agent's changes from 1."""
    by: Text | None = None


class AgentRegistered(Agent):
    """An agent was named for the first time."""


class AgentUpdated(Agent):
    """An agent was changed."""


class PresenceChanged(Fact):
    """An agent came, went away or left."""

    agent_id: Name
    status: Presence
    previous: Presence | None = None
    by: Text | None = None
