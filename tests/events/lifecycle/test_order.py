"""An event takes effect at its own time or its cause's, whichever is later; ties go by depth, type and id."""

import itertools
import sys
from types import FrameType

from events.lifecycle import Entry, effective, fold
from events.lifecycle.samples import received, said


def times(given: list[Entry]) -> dict[str, int]:
    return {placed.event_id: placed.effective_us for placed in effective(given)}


def depths(given: list[Entry]) -> dict[str, int]:
    return {placed.event_id: placed.depth for placed in effective(given)}


def ids(given: list[Entry]) -> list[str]:
    return [placed.event_id for placed in effective(given)]


def test_an_effect_before_its_cause_is_raised_to_its_cause() -> None:
    given = [received(100), said("Routed", 40, cause="ContactReceived@100", agent_id="a")]
    assert times(given) == {"ContactReceived@100": 100, "Routed@40": 100}
    assert fold(given).tags == ["clamped"]
    assert fold(given).durations[0] == 0


def test_an_effect_after_its_cause_keeps_its_time() -> None:
    given = [received(100), said("Routed", 140, cause="ContactReceived@100")]
    assert times(given)["Routed@140"] == 140
    assert fold(given).tags == []


def test_a_cause_is_followed_through_the_whole_chain_and_by_its_effective_time() -> None:
    given = [said("C", 1, cause="B@2"), said("B", 2, cause="A@50"), said("A", 50)]
    assert times(given) == {"A@50": 50, "B@2": 50, "C@1": 50}
    assert ids(given) == ["A@50", "B@2", "C@1"]
    assert depths(given) == {"A@50": 0, "B@2": 1, "C@1": 2}


def test_a_cause_that_is_not_known_does_not_count() -> None:
    given = [said("B", 5, cause="somewhere else"), said("A", 3)]
    assert ids(given) == ["A@3", "B@5"]
    assert depths(given) == {"A@3": 0, "B@5": 0}


def test_events_in_a_circle_count_as_having_no_cause() -> None:
    circle = [said("A", 10, cause="C@30"), said("B", 20, cause="A@10"), said("C", 30, cause="B@20")]
    for given in itertools.permutations(circle):
        assert times(list(given)) == {"A@10": 10, "B@20": 20, "C@30": 30}
        assert set(depths(list(given)).values()) == {0}
    assert fold(circle).tags == []


def test_an_event_that_names_itself_counts_as_having_no_cause() -> None:
    assert depths([said("A", 10, cause="A@10")]) == {"A@10": 0}


def test_what_a_circle_caused_comes_after_its_cause_whatever_comes_first_in_the_log() -> None:
    given = [said("A", 10, cause="B@20"), said("B", 20, cause="A@10"), said("X", 5, cause="B@20")]
    given.append(said("Y", 1, cause="X@5"))
    for turned in itertools.permutations(given):
        assert times(list(turned)) == {"A@10": 10, "B@20": 20, "X@5": 20, "Y@1": 20}
        assert depths(list(turned)) == {"A@10": 0, "B@20": 0, "X@5": 1, "Y@1": 2}


def test_at_one_time_the_shallower_event_goes_first_whatever_its_type() -> None:
    given = [said("Abandoned", 5), said("Routed", 5, cause="Abandoned@5")]
    assert ids(given) == ["Abandoned@5", "Routed@5"]


def test_at_one_time_and_depth_the_type_decides() -> None:
    types = ["FeedbackReceived", "Abandoned", "Resolved", "Paused", "Resumed", "Connected", "Routed", "OfferClosed"]
    types += ["Requeued", "Escalated", "Transferred", "MessageReceived", "Reopened", "ContactReceived"]
    assert ids([said(type_, 5) for type_ in ["SlaMet", *types]]) == [f"{type_}@5" for type_ in [*types[::-1], "SlaMet"]]


def test_of_one_type_the_event_id_decides_and_all_other_types_share_one_place() -> None:
    given = [said("Routed", 5, event_id="b"), said("Routed", 5, event_id="a")]
    assert ids(given) == ["a", "b"]
    given = [said("SlaMet", 5, event_id="b"), said("Unheard", 5, event_id="a"), said("SlaWarned", 5, event_id="c")]
    assert ids(given) == ["a", "b", "c"]


def test_each_event_stands_once_at_its_first_position() -> None:
    first, second = said("Routed", 5, position="contacts/3/1"), said("Routed", 5, position="contacts/3/9")
    assert [placed.entry.position for placed in effective([first, second])] == ["contacts/3/1"]


def chain(length: int) -> list[Entry]:
    kinds = itertools.cycle(["Routed", "OfferClosed"])
    linked = [received(length, customer={})]
    for number in range(length - 1):
        linked.append(said(next(kinds), number, cause=linked[-1].event_id, agent_id="a", reason="expired"))
    return linked


def test_a_chain_of_ten_thousand_causes_is_followed_from_either_end() -> None:
    given = chain(10_000)
    for turned in (given, given[::-1]):
        life = fold(turned)
        assert {placed.effective_us for placed in life.events} == {10_000}
        assert [placed.depth for placed in life.events] == list(range(10_000))
        assert (life.counts.offers, len(life.applied)) == (5_000, 10_000)


def test_a_circle_of_ten_thousand_events_is_no_trouble() -> None:
    given = chain(10_000)
    given[0].causation_id = given[-1].event_id
    assert set(depths(given).values()) == {0}


def test_the_fold_of_a_long_history_grows_in_step_with_it() -> None:
    def calls(given: list[Entry]) -> int:
        """Calls of functions, ours and the interpreter's: unlike seconds the same on every machine."""
        made = 0

        def count(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            fold(given)
        finally:
            sys.setprofile(None)
        return made

    assert calls(chain(20_000)[::-1]) < 11 * calls(chain(2_000)[::-1])
