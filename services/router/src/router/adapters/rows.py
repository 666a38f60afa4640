"""Requests as rows of their table, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import orjson

from events.lifecycle import Standing, State
from router.domain.request import Mark, Request

STANDING: Final = "state, leg, cycle, queue, tier, agent_id, reason"
COLUMNS: Final = (
    f"{STANDING}, request_id, version, channel, customer_id, key_id, priority, severity, support_level, language,"
    " skills, wanted_agent, received_us, last_us, closed_us, closing_logged, offered_us, lapses_us, reoffer_after_us,"
    " policy_version, routed_version, moved_by::text as moved_by, marks, avoid"
)
"""What `request_of` needs of a row."""

_PLAIN: Final = (
    "request_id", "version", "channel", "customer_id", "key_id", "priority", "severity", "support_level", "language",
    "wanted_agent", "received_us", "last_us", "closed_us", "closing_logged", "offered_us", "lapses_us",
    "reoffer_after_us", "policy_version", "routed_version", "moved_by",
)  # fmt: skip
NAMES: Final = (*Standing._fields, *_PLAIN, "skills", "marks", "avoid")
"""The columns that `members_of` gives: all but those that the table makes itself."""


def request_of(row: Mapping[str, Any] | asyncpg.Record) -> Request:
    """The request in a row that has `COLUMNS`."""
    standing = Standing(
        State(row["state"]), row["leg"], row["cycle"], row["queue"], row["tier"], row["agent_id"], row["reason"]
    )
    return Request(
        standing=standing,
        skills=tuple(row["skills"]),
        marks={name: Mark(*mark) for name, mark in orjson.loads(row["marks"]).items()},
        avoid=orjson.loads(row["avoid"]),
        **{name: row[name] for name in _PLAIN},
    )


def members_of(request: Request) -> dict[str, Any]:
    """The row of a request, by column."""
    return {
        **request.standing._asdict(),
        **{name: getattr(request, name) for name in _PLAIN},
        "skills": request.skills,
        "marks": {name: list(mark) for name, mark in request.marks.items()},
        "avoid": dict(request.avoid),
    }
