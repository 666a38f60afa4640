"""The capacity proof is shown to catch what it is there for, on histories that were forged."""

from __future__ import annotations

from typing import Any

from events.times import to_text
from throughline.demo.capacity import ROUTER, capacity

Record = dict[str, Any]

MAY_HOLD = {"hana": {"voice": 1, "chat": 2}, "imre": {"voice": 1}}


def history(*steps: tuple[str, int, str], source: str = ROUTER) -> list[Record]:
    """Router events (type, µs, agent) as audit tells them."""
    return [
        {
            "type": kind,
            "occurred_at": to_text(at_us),
            "source": source,
            "sequence": number,
            "data": {"agent_id": agent_id} if agent_id else {},
        }
        for number, (kind, at_us, agent_id) in enumerate(steps, 1)
    ]


def call(start: int, end: int, agent_id: str = "hana") -> list[Record]:
    """Offered, accepted and resolved."""
    return history(("Routed", start, agent_id), ("Connected", start + 1, agent_id), ("Resolved", end, agent_id))


def checked(histories: dict[str, list[Record]], channel: str = "voice") -> list[str]:
    return list(capacity(histories, dict.fromkeys(histories, channel), MAY_HOLD).wrong)


def test_one_call_after_another_holds() -> None:
    assert checked({"r-1": call(10, 20), "r-2": call(20, 30)}) == []


def test_two_calls_at_once_are_caught() -> None:
    (wrong,) = checked({"r-1": call(10, 21), "r-2": call(20, 30)})
    assert wrong == "hana held 2 of voice at once, 1 allowed"


def test_a_single_microsecond_over_capacity_is_caught() -> None:
    assert checked({"r-1": call(10, 20), "r-2": call(19, 30)})


def test_as_many_chats_as_allowed_hold_and_one_more_is_caught() -> None:
    chats = {f"r-{n}": call(10 + n, 40) for n in range(3)}
    assert checked(dict(list(chats.items())[:2]), "chat") == []
    assert checked(chats, "chat") == ["hana held 3 of chat at once, 2 allowed"]


def test_an_offer_counts_from_the_offer_on_and_a_hold_until_the_leg_ends() -> None:
    offered = history(("Routed", 10, "hana"), ("OfferClosed", 25, "hana"))
    held = history(("Routed", 1, "hana"), ("Connected", 2, "hana"), ("Paused", 3, "hana"), ("Requeued", 30, ""))
    assert checked({"r-1": offered, "r-2": call(20, 30)})
    assert checked({"r-1": held, "r-2": call(29, 40)})
    assert checked({"r-1": held, "r-2": call(30, 40)}) == []


def test_what_never_ended_is_held_for_ever() -> None:
    assert checked({"r-1": history(("Routed", 10, "hana")), "r-2": call(10**9, 10**9 + 9)})


def test_an_agent_whom_nobody_registered_may_hold_nothing() -> None:
    assert checked({"r-1": call(10, 20, "ghost")}) == ["ghost held 1 of voice at once, 0 allowed"]


def test_one_request_held_by_two_is_caught() -> None:
    twice = history(("Routed", 10, "hana"), ("Routed", 12, "imre"), ("Resolved", 20, ""))
    stolen = history(("Routed", 10, "hana"), ("Connected", 12, "imre"), ("Resolved", 20, ""))
    assert checked({"r-1": twice}) == ["r-1: Routed to imre while hana held it"]
    assert checked({"r-1": stolen}) == ["r-1: Connected to imre while hana held it"]


def test_a_move_that_is_not_later_than_the_last_is_caught() -> None:
    assert checked({"r-1": history(("Routed", 10, "hana"), ("Connected", 10, "hana"), ("Resolved", 20, ""))})


def test_the_order_of_reading_does_not_matter_and_other_services_move_nothing() -> None:
    said = [*call(10, 20), *history(("Routed", 5, "hana"), source="/services/escalation")]
    assert checked({"r-1": list(reversed(said)), "r-2": call(20, 30)}) == []


def test_a_channel_filled_to_the_last_unit_is_told() -> None:
    found = capacity({"r-1": call(10, 20)}, {"r-1": "voice"}, MAY_HOLD)
    assert (found.full, [load.most for load in found.loads]) == (1, [1])
