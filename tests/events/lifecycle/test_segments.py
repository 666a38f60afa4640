"""A life is cut into segments exactly where the state moves, and each carries the facts of its time."""

from events.lifecycle import Life, State, fold
from events.lifecycle.samples import received, said


def states(life: Life) -> list[tuple[str | None, int | None]]:
    return [(segment.standing.state, segment.us) for segment in life.segments]


def test_a_contact_alone_waits_in_an_open_segment_that_enters_no_sum() -> None:
    life = fold([received(7)])
    assert states(life) == [("waiting", None)]
    assert life.segments[0].end_us is None
    assert sum(life.time_in.values()) == 0
    assert life.residual_us == 0


def test_a_plain_life_is_waiting_offered_connected_resolved() -> None:
    life = fold([received(0), said("Routed", 3, agent_id="a"), said("Connected", 5), said("Resolved", 11)])
    assert states(life) == [("waiting", 3), ("offered", 2), ("connected", 6), ("resolved", None)]
    assert life.time_in == dict.fromkeys(State, 0) | {State.WAITING: 3, State.OFFERED: 2, State.CONNECTED: 6}


def test_a_segment_of_length_zero_is_kept() -> None:
    life = fold([received(0), said("Routed", 0, agent_id="a"), said("Connected", 0)])
    assert states(life) == [("waiting", 0), ("offered", 0), ("connected", None)]


def test_a_requeue_while_waiting_ends_one_wait_and_begins_another() -> None:
    life = fold([received(0), said("Requeued", 4, reason="classified", tier=2)])
    assert states(life) == [("waiting", 4), ("waiting", None)]
    assert [segment.standing.tier for segment in life.segments] == [1, 2]


def test_a_pause_states_its_reason_and_nothing_else_has_one() -> None:
    life = fold(
        [
            received(0),
            said("Connected", 1, agent_id="a"),
            said("Paused", 2, reason="hold"),
            said("Resumed", 5, agent_id="a", reason="back"),
            said("Paused", 6, reason="customer"),
            said("Resolved", 9, reason="settled"),
        ]
    )
    assert [segment.standing.reason for segment in life.segments] == [None, None, "hold", None, "customer", None]
    assert states(life)[2:5] == [("paused", 3), ("connected", 1), ("paused", 3)]


def test_a_paused_request_is_still_with_its_agent() -> None:
    life = fold([received(0), said("Connected", 1, agent_id="a"), said("Paused", 2, reason="hold", agent_id="b")])
    assert life.segments[-1].standing.agent_id == "a"


def test_a_resolved_request_keeps_leg_cycle_queue_and_tier_but_no_agent() -> None:
    life = fold(
        [
            received(0, queue="billing"),
            said("Routed", 1, agent_id="a", tier=3),
            said("Connected", 2, agent_id="a"),
            said("Resolved", 3, agent_id="a"),
        ]
    )
    last = life.segments[-1].standing
    assert (last.leg, last.cycle, last.queue, last.tier, last.agent_id) == (1, 1, "billing", 3, None)


def test_an_abandoned_request_keeps_them_likewise() -> None:
    life = fold([received(0, queue="billing"), said("Routed", 1, agent_id="a"), said("Abandoned", 2)])
    last = life.segments[-1].standing
    assert (last.state, last.leg, last.cycle, last.queue, last.agent_id) == ("abandoned", 1, 1, "billing", None)


def test_the_closed_segments_sum_to_the_last_move_though_remarks_follow() -> None:
    life = fold([received(10), said("Connected", 15), said("MessageReceived", 900), said("SlaBreached", 901)])
    assert life.moved_us == 15
    assert sum(life.time_in.values()) == 5
    assert life.residual_us == 0


def test_the_time_resolved_counts_once_it_was_reopened() -> None:
    life = fold([received(0), said("Resolved", 5), said("Reopened", 105), said("Abandoned", 106)])
    assert states(life) == [("waiting", 5), ("resolved", 100), ("waiting", 1), ("abandoned", None)]
    assert life.time_in[State.RESOLVED] == 100
