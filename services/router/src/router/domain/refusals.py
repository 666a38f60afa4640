"""Why an order on a request is not carried out."""

from __future__ import annotations

from dataclasses import dataclass

from events.lifecycle import Standing


@dataclass(frozen=True, slots=True)
class OtherLeg:
    """It names a leg that is not the present one."""

    leg: int
    standing: Standing

    @property
    def detail(self) -> str:
        """What to do now."""
        return f"The request is in leg {self.standing.leg}, not {self.leg}: look at it again before you act."


@dataclass(frozen=True, slots=True)
class NotNow:
    """The state does not allow it; `by_holder` says that it would if the agent who has the request were named."""

    verb: str
    standing: Standing
    by_holder: bool = False

    @property
    def detail(self) -> str:
        """What to do now."""
        if self.by_holder:
            return f"It is {self.standing.agent_id} who has the request ({self.standing.state}): name him as agent_id."
        return f"A request that is {self.standing.state} takes no {self.verb}: look at it again before you act."


@dataclass(frozen=True, slots=True)
class NotHis:
    """Another agent has the request."""

    verb: str
    agent_id: str
    standing: Standing

    @property
    def detail(self) -> str:
        """What to do now."""
        return f"It is {self.standing.agent_id} who has the request ({self.standing.state}), not {self.agent_id}."


Refusal = OtherLeg | NotNow | NotHis
