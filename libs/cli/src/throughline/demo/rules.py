"""The rules of a run: how its queues are routed, and what is promised to their customers, at the demo's pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from throughline.demo.plan import SPOKEN
from throughline.demo.scale import Scale

OFFERS_LAPSE_S, LEAST_LAPSE_US = 30.0, 15_000_000  # less, and offers would lapse by the delays of a busy machine
REOFFER_US = 1_000_000
GRACE_S = 300.0
ANSWERED_WITHIN_S, WRITTEN_WITHIN_S = 180.0, 900.0


def routing(scale: Scale) -> dict[str, Any]:
    """A queue's policy for the demo: the usual times at the people's pace, and the worst of the best start higher."""
    match = {"support_levels": ["preferred"], "severities": [1, 2]}
    return {
        "offer_timeout_us": max(LEAST_LAPSE_US, scale.lasts_us(OFFERS_LAPSE_S)),
        "reoffer_after_us": REOFFER_US,
        "offline_grace_us": scale.lasts_us(GRACE_S),
        "start_tiers": [{"tier": 2, "match": match}],
    }


def promises(scale: Scale, queues: Sequence[str]) -> dict[str, Any]:
    """A policy of promises for these queues alone: who is on the line waits three minutes at most, others fifteen."""
    spoken = {"queues": list(queues), "channels": list(SPOKEN)}
    return {
        "promises": [
            _connected(scale.lasts_us(ANSWERED_WITHIN_S), spoken),
            _connected(scale.lasts_us(WRITTEN_WITHIN_S), {"queues": list(queues)}),
        ],
        "by": "the demo",
    }


def _connected(target_us: int, match: dict[str, Any]) -> dict[str, Any]:
    clock = {"promise": "time_to_connect", "start": "ContactReceived", "stop": "Connected", "warn_at_percent": 80}
    return {**clock, "target_us": target_us, "match": match}
