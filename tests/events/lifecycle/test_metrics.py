"""Each metric of the registry, by its definition."""

from collections.abc import Sequence

import pytest

from events.lifecycle import CYCLE_METRICS, HEADLINES, METRICS, REPORTED, Entry, fold
from events.lifecycle.samples import INTAKE, received, said


def metric(name: str, given: Sequence[Entry]) -> int | None:
    return dict(zip([each.name for each in METRICS], fold(given).metrics, strict=True))[name]


def per_cycle(given: Sequence[Entry]) -> list[int | None]:
    return [CYCLE_METRICS[0].of(cycle) for cycle in fold(given).cycles]


TWO_OFFERS = [
    received(0),
    said("Routed", 3, agent_id="a"),
    said("OfferClosed", 10, reason="declined"),
    said("Routed", 14, agent_id="b"),
    said("Connected", 19, agent_id="b"),
]
WORKED = [
    *TWO_OFFERS,
    said("Paused", 30, reason="hold"),
    said("Resumed", 32),
    said("Paused", 40, reason="third_party"),
    said("Resumed", 140),
    said("Paused", 150, reason="customer"),
    said("Resumed", 1150),
    said("Resolved", 1160),
]


def test_the_right_agent_is_the_one_whose_offer_led_to_the_connection() -> None:
    assert metric("time_to_right_agent_us", TWO_OFFERS) == 14
    assert metric("time_to_right_agent_us", TWO_OFFERS[:4]) is None


def test_a_leg_that_connected_without_an_offer_has_no_time_to_the_right_agent() -> None:
    assert metric("time_to_right_agent_us", [*TWO_OFFERS[:3], said("Connected", 19, agent_id="b")]) is None


def test_speed_of_answer_runs_through_all_offers() -> None:
    assert metric("speed_of_answer_us", TWO_OFFERS) == 19


def test_queue_wait_and_offer_are_null_until_the_connection_and_then_add_up_to_the_speed_of_answer() -> None:
    assert metric("queue_wait_us", TWO_OFFERS[:4]) is None
    assert metric("offer_us", TWO_OFFERS[:4]) is None
    assert metric("queue_wait_us", TWO_OFFERS) == 3 + 4
    assert metric("offer_us", TWO_OFFERS) == 7 + 5


def test_there_was_no_offer_is_zero_once_connected() -> None:
    assert metric("offer_us", [received(0), said("Connected", 5, agent_id="a")]) == 0
    assert metric("queue_wait_us", [received(0), said("Connected", 5, agent_id="a")]) == 5


def test_what_is_waited_after_the_first_connection_is_not_in_the_queue_wait() -> None:
    more = [said("Transferred", 20, to={"tier": 2}), said("Routed", 50, agent_id="c"), said("Connected", 70)]
    assert metric("queue_wait_us", TWO_OFFERS + more) == 7
    assert metric("offer_us", TWO_OFFERS + more) == 12


def test_a_connection_in_the_second_cycle_is_no_speed_of_answer() -> None:
    given = [received(0), said("Abandoned", 5), said("Reopened", 6), said("Connected", 9, agent_id="a")]
    for name in ("speed_of_answer_us", "queue_wait_us", "offer_us", "time_to_right_agent_us"):
        assert metric(name, given) is None


def test_handle_time_is_connected_and_on_hold() -> None:
    assert metric("handle_us", WORKED) == 11 + 2 + 8 + 10 + 10


def test_handle_time_is_null_until_a_connected_or_held_segment_has_closed() -> None:
    assert metric("handle_us", TWO_OFFERS) is None
    assert metric("handle_us", [*TWO_OFFERS, said("Paused", 19, reason="hold")]) == 0


def test_handle_time_runs_over_all_legs_and_cycles() -> None:
    more = [said("Reopened", 2000), said("Connected", 2001, agent_id="c"), said("Resolved", 2007)]
    assert metric("handle_us", WORKED + more) == 41 + 6


def test_agent_work_leaves_every_pause_out() -> None:
    assert metric("agent_work_us", WORKED) == 11 + 8 + 10 + 10
    assert metric("agent_work_us", [received(0), said("Resolved", 5)]) is None


def test_the_requester_waits_in_queue_under_offer_and_for_third_parties() -> None:
    assert metric("requester_wait_us", WORKED) == 7 + 12 + 100
    assert metric("requester_wait_us", [received(0)]) is None


def test_first_and_full_resolution_are_of_any_cycle() -> None:
    given = [received(0), said("Abandoned", 5), said("Reopened", 10), said("Resolved", 15), said("Reopened", 20)]
    assert metric("first_resolution_us", given) == 15
    assert metric("full_resolution_us", given) == 15
    assert metric("full_resolution_us", [*given, said("Resolved", 90)]) == 90
    assert metric("first_resolution_us", [*given, said("Resolved", 90)]) == 15


def test_net_resolution_leaves_out_the_customers_turn_and_the_time_it_was_settled() -> None:
    assert metric("net_resolution_us", WORKED) == 1160 - 1000
    again = [*WORKED, said("Reopened", 5000), said("Resolved", 5010)]
    assert metric("net_resolution_us", again) == 5010 - 1000 - (5000 - 1160)


def test_net_resolution_leaves_in_what_ended_after_the_last_resolution() -> None:
    after = [said("Reopened", 5000), said("Connected", 5001), said("Paused", 5002, reason="customer")]
    assert metric("net_resolution_us", [*WORKED, *after, said("Resumed", 6000)]) == 160


def test_a_customers_pause_that_the_resolution_ended_is_left_out() -> None:
    given = [received(0), said("Connected", 1), said("Paused", 5, reason="customer"), said("Resolved", 50)]
    assert metric("net_resolution_us", given) == 5


def test_net_resolution_keeps_the_time_abandoned() -> None:
    given = [received(0), said("Abandoned", 5), said("Reopened", 100), said("Resolved", 101)]
    assert metric("net_resolution_us", given) == 101


def test_each_cycle_has_its_own_resolution_or_null() -> None:
    given = [received(0), said("Resolved", 5), said("Reopened", 10), said("Abandoned", 12), said("Reopened", 20)]
    assert per_cycle(given) == [5, None, None]
    assert per_cycle([*given, said("Resolved", 27)]) == [5, None, 7]
    assert per_cycle([]) == []


def test_abandon_is_of_the_first_cycle_and_holds_the_shortest_ones() -> None:
    assert metric("abandon_us", [received(0), said("Abandoned", 1)]) == 1
    assert metric("abandon_us", [received(0), said("Resolved", 1), said("Reopened", 2), said("Abandoned", 9)]) is None


NOON = 1_700_000_000_000_000


def gateway(at: str | None, source: str = INTAKE) -> list[Entry]:
    contact = received(NOON, occurred_at=at)
    contact.source = source
    return [contact]


def test_intake_is_what_passed_between_the_gateways_clock_and_ours() -> None:
    assert metric("intake_us", gateway("2023-11-14T22:13:19.750000Z")) == 250_000
    assert metric("intake_us", gateway("2023-11-15T00:13:19.999999+02:00")) == 1


def test_a_gateways_clock_that_is_ahead_gives_zero() -> None:
    assert metric("intake_us", gateway("2023-11-14T22:13:20.000001Z")) == 0


@pytest.mark.parametrize("at", [None, "yesterday", ""])
def test_intake_is_null_without_a_readable_time_of_the_gateway(at: str | None) -> None:
    assert metric("intake_us", gateway(at)) is None


def test_intake_is_null_for_imports() -> None:
    assert metric("intake_us", gateway("2023-11-14T22:13:19.750000Z", "/imports")) is None


def test_intake_is_no_part_of_the_customers_wait() -> None:
    given = [*gateway("2023-11-14T22:13:10.000000Z"), said("Connected", NOON + 5)]
    assert metric("speed_of_answer_us", given) == 5
    assert metric("requester_wait_us", given) == 5


def test_the_registry_names_every_metric_once_with_all_that_defines_it() -> None:
    names = [each.name for each in (*HEADLINES, *METRICS, *CYCLE_METRICS)]
    assert len(set(names)) == len(names) == 17
    for each in (*HEADLINES, *METRICS, *CYCLE_METRICS):
        assert each.name.endswith("_us")
        assert each.version >= 1
        assert all([each.start, each.stop, each.clock, each.cohort, each.description.endswith(".")])


def test_reports_state_the_headlines_and_all_metrics_of_a_request() -> None:
    assert [each.name for each in REPORTED] == [
        *("received_to_routed_us", "routed_to_connected_us", "connected_to_resolved_us", "received_to_resolved_us"),
        *("time_to_right_agent_us", "speed_of_answer_us", "queue_wait_us", "offer_us", "handle_us"),
        *("requester_wait_us", "agent_work_us", "first_resolution_us", "full_resolution_us", "net_resolution_us"),
        *("abandon_us", "intake_us"),
    ]
