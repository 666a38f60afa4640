"""Every state and type is decided, and decided as the table of states says."""

import pytest

from events.lifecycle import UNKNOWN, Standing, State, evolve
from events.lifecycle.evolve import _STEPS
from events.lifecycle.samples import received, said
from events.lifecycle.table import ENDS, LAST_RANK, OPENS_CYCLE, OPENS_LEG, ORDER, RANK, TAKEN_UP_BY, TRANSITIONS

#                     none       waiting      offered      connected    paused       resolved   abandoned
DECIDED = """
ContactReceived       waiting    -            -            -            -            -          -
Reopened              -          -            -            -            -            waiting    waiting
MessageReceived       -          -            -            -            -            -          -
Transferred           -          -            -            waiting      waiting      -          -
Escalated             -          -            -            -            -            -          -
Requeued              -          waiting      waiting      waiting      waiting      -          -
OfferClosed           -          -            waiting      -            -            -          -
Routed                -          offered      -            -            -            -          -
Connected             -          connected    connected    -            -            -          -
Resumed               -          -            -            -            connected    -          -
Paused                -          -            -            paused       -            -          -
Resolved              -          resolved     resolved     resolved     resolved     -          -
Abandoned             -          abandoned    abandoned    abandoned    abandoned    -          -
FeedbackReceived      -          -            -            -            -            -          -
SlaWarned             -          -            -            -            -            -          -
SuggestionShown       -          -            -            -            -            -          -
throughline.Novel.v1  -          -            -            -            -            -          -
"""
STATES: list[State | None] = [None, *State]
ROWS = [line.split() for line in DECIDED.strip().splitlines()]
PAIRS = [(state, row[0], cell) for row in ROWS for state, cell in zip(STATES, row[1:], strict=True)]


@pytest.mark.parametrize(("state", "type_", "decided"), PAIRS)
def test_each_type_in_each_state_does_what_the_table_says(state: State | None, type_: str, decided: str) -> None:
    standing = Standing(state, leg=1, cycle=1)
    after = evolve(standing, said(type_, 1))
    if decided == "-":
        assert after is standing
    else:
        assert after.state == decided


def test_the_table_knows_every_state_and_no_type_beyond_the_order() -> None:
    assert set(TRANSITIONS) == {None, *State}
    assert {type_ for moves in TRANSITIONS.values() for type_ in moves} <= set(ORDER)


def test_every_type_that_moves_has_its_step_and_no_other() -> None:
    assert set(_STEPS) == {type_ for moves in TRANSITIONS.values() for type_ in moves}


def test_a_type_leads_to_one_state_wherever_it_is_allowed() -> None:
    for type_ in _STEPS:
        assert len({moves[type_] for moves in TRANSITIONS.values() if type_ in moves}) == 1


def test_exactly_the_moves_to_waiting_open_a_leg() -> None:
    to_waiting = {type_ for moves in TRANSITIONS.values() for type_, to in moves.items() if to is State.WAITING}
    assert to_waiting == OPENS_LEG


def test_exactly_the_moves_out_of_nothing_and_out_of_an_end_open_a_cycle() -> None:
    assert {type_ for state in (None, *ENDS) for type_ in TRANSITIONS[state]} == OPENS_CYCLE


def test_the_order_of_types_is_the_agreed_one() -> None:
    assert list(ORDER) == [
        *("ContactReceived", "Reopened", "MessageReceived", "Transferred", "Escalated", "Requeued", "OfferClosed"),
        *("Routed", "Connected", "Resumed", "Paused", "Resolved", "Abandoned", "FeedbackReceived"),
    ]
    assert list(RANK.values()) == list(range(LAST_RANK))


def test_only_a_requeue_takes_up_a_decision() -> None:
    assert dict(TAKEN_UP_BY) == {"Requeued": "Escalated"}


def test_a_contact_stands_waiting_in_leg_1_of_cycle_1_with_the_defaults() -> None:
    assert evolve(UNKNOWN, received()) == Standing(State.WAITING, 1, 1, "default", 1, None, None)
