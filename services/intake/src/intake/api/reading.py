"""What intake's commands need, and what a use of a key is to its core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.canonical import content_hash
from intake.domain.keys import Use

SCOPE = "contacts:write"


def use_of(scope: str, key: str | None, members: Mapping[str, Any]) -> Use | None:
    """The use of a key for these members, None without a key."""
    return None if key is None else Use(scope, key, content_hash(members))
