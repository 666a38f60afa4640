"""What takes effect is `applied`; what the state does not allow, or the lifecycle does not know, changes nothing."""

import pytest

from events.lifecycle import Entry, Life, fold
from events.lifecycle.samples import received, said


def applied(life: Life) -> list[str]:
    return [placed.entry.type for placed in life.events if placed.event_id in life.applied]


@pytest.mark.parametrize(
    "type_", ["MessageReceived", "FeedbackReceived", "SlaWarned", "SuggestionUsed", "throughline.Unheard.v9", ""]
)
def test_a_remark_is_recorded_in_any_state(type_: str) -> None:
    given = [received(0), said("Routed", 2, agent_id="a"), said("Connected", 4), said("Resolved", 6)]
    remarks = [said(type_, at_us) for at_us in (1, 3, 5, 7)]
    with_remarks, without = fold(given + remarks), fold(given)
    assert applied(with_remarks) == applied(without)
    assert with_remarks.segments == without.segments
    assert with_remarks.metrics == without.metrics
    assert len(with_remarks.events) == 8


def test_what_the_state_does_not_allow_is_recorded_and_the_next_event_meets_the_same_state() -> None:
    life = fold([received(0), said("Paused", 1, reason="hold"), said("Routed", 2, agent_id="a")])
    assert applied(life) == ["ContactReceived", "Routed"]
    assert life.segments[0].us == 2


def test_a_second_contact_received_is_recorded() -> None:
    life = fold([received(0), received(5, channel="email")])
    assert applied(life) == ["ContactReceived"]
    assert life.channel == "voice"
    assert len(life.cycles) == 1


def test_of_two_contacts_received_the_first_in_order_is_applied() -> None:
    life = fold([received(5, channel="email"), received(0)])
    assert life.channel == "voice"


def test_what_stands_before_the_contact_is_recorded_and_the_rest_goes_on() -> None:
    life = fold([said("Routed", 0, agent_id="a"), received(5), said("Routed", 9, agent_id="b")])
    assert applied(life) == ["ContactReceived", "Routed"]
    assert life.routed_us == 9


def escalated(at_us: int = 5, cause: str | None = None) -> Entry:
    return said("Escalated", at_us, cause=cause, source="/services/escalation", to_tier=2, reason="sla")


def test_an_escalation_that_nobody_takes_up_is_recorded() -> None:
    life = fold([received(0), escalated(5)])
    assert applied(life) == ["ContactReceived"]
    assert life.counts.escalations == 0
    assert life.standing.tier == 1


def test_an_escalation_is_applied_when_a_requeue_names_it_as_its_cause() -> None:
    life = fold([received(0), escalated(5), said("Requeued", 6, cause="Escalated@5", reason="escalated", tier=2)])
    assert applied(life) == ["ContactReceived", "Escalated", "Requeued"]
    assert life.counts.escalations == 1


def test_a_requeue_that_is_itself_recorded_takes_up_nothing() -> None:
    given = [
        received(0),
        said("Resolved", 1),
        escalated(5),
        said("Requeued", 6, cause="Escalated@5", reason="escalated"),
    ]
    life = fold(given)
    assert applied(life) == ["ContactReceived", "Resolved"]
    assert life.counts.escalations == 0


def test_a_requeue_that_names_it_only_through_another_event_takes_up_nothing() -> None:
    given = [received(0), escalated(5), said("MessageReceived", 6, cause="Escalated@5")]
    life = fold([*given, said("Requeued", 7, cause="MessageReceived@6", reason="agent_lost")])
    assert applied(life) == ["ContactReceived", "Requeued"]


def test_an_escalation_is_applied_even_where_it_and_its_requeue_stand_in_a_circle() -> None:
    life = fold([received(0), escalated(5, cause="Requeued@3"), said("Requeued", 3, cause="Escalated@5", tier=2)])
    assert [placed.entry.type for placed in life.events] == ["ContactReceived", "Requeued", "Escalated"]
    assert applied(life) == ["ContactReceived", "Requeued", "Escalated"]


def test_one_escalation_taken_up_twice_counts_once() -> None:
    again = [said("Requeued", at_us, cause="Escalated@5", reason="escalated", tier=2) for at_us in (6, 7)]
    life = fold([received(0), escalated(5), *again])
    assert life.counts.escalations == 1
    assert len(life.legs) == 3


def test_only_an_escalation_is_taken_up() -> None:
    life = fold([received(0), said("SlaBreached", 5), said("Requeued", 6, cause="SlaBreached@5", reason="escalated")])
    assert applied(life) == ["ContactReceived", "Requeued"]


def test_a_history_without_its_contact_has_no_state_no_legs_and_no_effects() -> None:
    given = [escalated(1), said("Requeued", 2, cause="Escalated@1", tier=2), said("Connected", 3, agent_id="a")]
    life = fold([*given, said("Resolved", 4), said("Reopened", 5)])
    assert life.state is None
    assert not life.complete
    assert (life.legs, life.cycles, life.segments, life.applied) == ([], [], [], set())
    assert set(life.durations + life.metrics) == {None}
    assert life.residual_us == 0
    assert len(life.events) == 5


def test_no_event_at_all_is_an_empty_life() -> None:
    life = fold([])
    assert (life.state, life.complete, life.events, life.tags) == (None, False, [], [])
