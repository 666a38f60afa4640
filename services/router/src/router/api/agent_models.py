"""Agents as they are sent and shown."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from events.agents import Level, Presence
from events.base import Fact, Name, Text, Tier
from events.contacts.contact import Channel
from events.times import to_text
from router.api.parameters import LONGEST_NAME
from router.app.roster import Assignment, Shown
from router.domain.agents import Profile

MOST_UNITS = 1_000
"""How many requests on one channel an agent may have at once: each is a standing row."""

ShortName = Annotated[Name, Field(max_length=LONGEST_NAME)]


class AgentBody(Fact):
    """An agent; what is left out has its default, whatever it was before."""

    name: Annotated[Text, Field(min_length=1, max_length=1_000)]
    queues: list[ShortName] = Field(default_factory=lambda: ["default"], max_length=1_000)
    tier: Tier = 1
    skills: dict[ShortName, Level] = Field(default_factory=dict, max_length=1_000)
    """Skill → level, 5 is best."""
    languages: list[ShortName] = Field(default_factory=list, max_length=100)
    """Empty: any."""
    channels: dict[Channel, Annotated[int, Field(ge=0, le=MOST_UNITS)]] = Field(default_factory=dict)
    """Channel → how many requests at once."""
    auto_accept: bool = False
    """Connected without being asked."""

    def profile(self) -> Profile:
        """What is written; a queue or language that is named twice counts once."""
        return Profile(
            name=self.name,
            queues=tuple(dict.fromkeys(self.queues)),
            tier=self.tier,
            skills=dict(self.skills),
            languages=tuple(dict.fromkeys(self.languages)),
            channels=dict[str, int](self.channels.items()),
            auto_accept=self.auto_accept,
        )


class PresenceBody(Fact):
    """Whether the agent is there."""

    status: Presence


class _View(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class AssignmentView(_View):
    """A request that the agent is offered or has."""

    request_id: str
    state: Literal["offered", "connected", "paused"]
    leg: int
    channel: Channel


class AgentView(_View):
    """An agent as he stands."""

    agent_id: str
    name: str
    queues: list[str]
    tier: int
    skills: dict[str, int]
    languages: list[str]
    channels: dict[str, int]
    auto_accept: bool
    version: int
    """Counts the changes of what stands above."""
    presence: Presence
    presence_since: str
    load: dict[str, int]
    """Channel → how many units he has taken: offered, connected or paused."""
    assignments: list[AssignmentView]


class AgentPage(_View):
    """Agents by their ids."""

    items: list[AgentView]
    next_cursor: str | None


def view_of(shown: Shown) -> dict[str, Any]:
    """The members of an `AgentView`."""
    agent, profile = shown.agent, shown.agent.profile
    return {
        "agent_id": agent.agent_id,
        "name": profile.name,
        "queues": profile.queues,
        "tier": profile.tier,
        "skills": dict(profile.skills),
        "languages": profile.languages,
        "channels": dict(profile.channels),
        "auto_accept": profile.auto_accept,
        "version": agent.version,
        "presence": agent.presence,
        "presence_since": to_text(agent.presence_us),
        "load": _load(shown),
        "assignments": [_assignment(each) for each in shown.assignments],
    }


def _load(shown: Shown) -> dict[str, int]:
    channels = [each.channel for each in shown.assignments]
    return {channel: channels.count(channel) for channel in sorted(set(channels))}


def _assignment(each: Assignment) -> dict[str, Any]:
    return {"request_id": each.request_id, "state": each.state, "leg": each.leg, "channel": each.channel}
