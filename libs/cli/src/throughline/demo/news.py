"""What is worth a line under the table: an event of the run in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]


def _closed(data: Data) -> str | None:
    reasons = {
        "declined": "declined the offer",
        "expired": "let the offer lapse",
        "withdrawn": "had the offer withdrawn",
    }
    said = reasons.get(str(data.get("reason")))
    return f"{_person(data.get('agent_id'))} {said}" if said else None


def _requeued(data: Data) -> str | None:
    if data.get("reason") == "agent_lost":
        return f"{_person(data.get('agent_id'))} is gone, the customer waits again"
    return f"starts at tier {data.get('tier')}" if data.get("reason") == "classified" else None


_SAYS: Mapping[str, Callable[[Data], str | None]] = {
    "Escalated": lambda data: f"escalated to tier {data.get('to_tier')}",
    "OfferClosed": _closed,
    "Requeued": _requeued,
    "Transferred": lambda data: f"passed on to {_bank(str((data.get('to') or {}).get('queue') or 'somebody else'))}",
    "Reopened": lambda _: "came back about the same thing",
    "Abandoned": lambda _: "hung up",
    "SuggestionUsed": lambda data: f"helped by the article {data.get('article_id')}",
    "SlaBreached": lambda data: f"the promise {data.get('promise')} is broken",
    "FeedbackReceived": lambda data: f"the customer gives {data.get('score')} of 5",
}


def news(record: Mapping[str, Any], channel: str, time_of_day: str) -> str | None:
    """One line, or None for what happens all the time."""
    says = _SAYS.get(str(record["type"]))
    said = says(record["data"] or {}) if says else None
    return f"{time_of_day}  {channel:<6} …{str(record['request_id'])[-6:]}  {said}" if said else None


def _person(agent_id: Any) -> str:
    """The name without the run's mark."""
    return _bank(str(agent_id)).capitalize() if agent_id else "the agent"


def _bank(name: str) -> str:
    return name.rpartition("-")[0] or name
