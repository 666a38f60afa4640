"""A leg is one stretch towards one agent: when it opens and closes, whose it is, and where."""

import pytest

from events.lifecycle import Entry, Life, fold
from events.lifecycle.samples import received, said


def spans(life: Life) -> list[tuple[str, int, str | None, int | None]]:
    return [(leg.opened_by, leg.opened_us, leg.closed_by, leg.closed_us) for leg in life.legs]


def places(life: Life) -> list[tuple[str, int]]:
    return [(leg.queue, leg.tier) for leg in life.legs]


CONNECTED = [received(0, queue="billing"), said("Routed", 1, agent_id="a"), said("Connected", 2, agent_id="a")]


def test_a_plain_life_is_one_leg_closed_by_its_resolution() -> None:
    life = fold([*CONNECTED, said("Resolved", 9)])
    assert spans(life) == [("ContactReceived", 0, "Resolved", 9)]
    leg = life.legs[0]
    assert (leg.number, leg.cycle, leg.routed_us, leg.connected_us, leg.agent_id) == (1, 1, 1, 2, "a")


@pytest.mark.parametrize(
    ("closing", "leaves"),
    [
        (said("Transferred", 5, to={"queue": "second"}), "connected"),
        (said("Requeued", 5, reason="agent_lost"), "connected"),
    ],
)
def test_each_move_to_waiting_closes_one_leg_and_opens_the_next(closing: Entry, leaves: str) -> None:
    life = fold([*CONNECTED, closing])
    assert spans(life) == [("ContactReceived", 0, closing.type, 5), (closing.type, 5, None, None)]
    assert life.segments[-2].standing.state == leaves


def test_a_closed_offer_closes_its_leg() -> None:
    life = fold([*CONNECTED[:2], said("OfferClosed", 5, reason="declined")])
    assert spans(life) == [("ContactReceived", 0, "OfferClosed", 5), ("OfferClosed", 5, None, None)]
    assert [leg.agent_id for leg in life.legs] == ["a", None]


def test_a_requeue_while_waiting_closes_a_leg_that_nobody_had() -> None:
    life = fold([received(0), said("Requeued", 5, reason="classified", tier=2)])
    assert spans(life) == [("ContactReceived", 0, "Requeued", 5), ("Requeued", 5, None, None)]


def test_a_reopening_leaves_the_leg_closed_by_what_ended_the_cycle() -> None:
    life = fold([*CONNECTED, said("Resolved", 9), said("Reopened", 20)])
    assert spans(life) == [("ContactReceived", 0, "Resolved", 9), ("Reopened", 20, None, None)]
    assert [leg.cycle for leg in life.legs] == [1, 2]


def test_the_fold_numbers_legs_itself_whatever_the_events_claim() -> None:
    given = [received(0), said("Routed", 1, agent_id="a", leg=99), said("OfferClosed", 2, reason="expired", leg=4)]
    life = fold([*given, said("Connected", 3, agent_id="b", leg=1)])
    assert [leg.number for leg in life.legs] == [1, 2]
    assert life.legs[1].connected_us == 3


def test_a_contact_names_the_first_legs_queue_and_defaults_stand_for_what_it_leaves_out() -> None:
    assert places(fold([received(0, queue="billing")])) == [("billing", 1)]
    assert places(fold([received(0)])) == [("default", 1)]
    assert places(fold([received(0, queue=None)])) == [("default", 1)]


def test_a_new_leg_keeps_queue_and_tier_unless_its_opening_event_names_others() -> None:
    life = fold(
        [
            *CONNECTED,
            said("Requeued", 3, reason="classified", tier=2),
            said("Requeued", 4, reason="agent_lost", queue="vip"),
            said("Requeued", 5, reason="agent_lost"),
            said("Resolved", 6),
            said("Reopened", 7),
        ]
    )
    assert places(life) == [("billing", 1), ("billing", 2), ("vip", 2), ("vip", 2), ("vip", 2)]


def test_a_requeue_goes_by_its_own_tier_and_not_by_the_escalations() -> None:
    up = said("Escalated", 3, to_tier=4, queue="experts")
    assert places(fold([*CONNECTED, up, said("Requeued", 4, cause="Escalated@3", tier=2)]))[1] == ("billing", 2)
    assert places(fold([*CONNECTED, up, said("Requeued", 4, cause="Escalated@3")]))[1] == ("billing", 1)


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ({"queue": "second"}, ("second", 1)),
        ({"tier": 3}, ("billing", 3)),
        ({"agent_id": "b"}, ("billing", 1)),
        ({"skills": ["law"]}, ("billing", 1)),
    ],
)
def test_a_transfer_names_the_place_by_its_target(to: dict[str, object], place: tuple[str, int]) -> None:
    life = fold([*CONNECTED, said("Transferred", 5, to=to)])
    assert places(life) == [("billing", 1), place]
    assert life.legs[1].agent_id is None


def test_an_assignment_that_names_a_place_sets_the_legs_while_earlier_segments_keep_theirs() -> None:
    life = fold(
        [
            received(0, queue="billing"),
            said("Routed", 1, agent_id="a", tier=2),
            said("Connected", 2, agent_id="a", queue="vip"),
            said("Paused", 3, reason="hold"),
        ]
    )
    assert places(life) == [("vip", 2)]
    shown = [(segment.standing.queue, segment.standing.tier) for segment in life.segments]
    assert shown == [("billing", 1), ("billing", 2), ("vip", 2), ("vip", 2)]


def test_nobody_has_a_leg_until_it_is_routed_and_the_agent_who_connects_wins() -> None:
    given = [received(0), said("Routed", 1, agent_id="a"), said("Connected", 2, agent_id="b")]
    assert [fold(given[:upto]).legs[0].agent_id for upto in (1, 2, 3)] == [None, "a", "b"]
    assert [segment.standing.agent_id for segment in fold(given).segments] == [None, "a", "b"]


def test_handle_time_of_a_leg_is_connected_and_on_hold_and_null_until_such_a_segment_has_closed() -> None:
    given = [
        *CONNECTED,
        said("Paused", 12, reason="hold"),
        said("Resumed", 15),
        said("Paused", 16, reason="third_party"),
        said("Transferred", 100, to={"tier": 2}),
        said("Routed", 101, agent_id="b"),
        said("Connected", 102, agent_id="b"),
    ]
    assert [leg.handle_us for leg in fold(given[:3]).legs] == [None]
    assert [leg.handle_us for leg in fold(given).legs] == [10 + 3 + 1, None]
    assert [leg.handle_us for leg in fold([*given, said("Resolved", 102)]).legs] == [14, 0]
