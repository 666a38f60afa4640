"""Which tier must help next: it happens, is refused, is repeated, is late."""

from __future__ import annotations

import pytest

from escalation.domain.escalate import AlreadyPending, AtTheTop, Closed, Decided, Escalate, NotHigher, decide
from escalation.domain.request import Pending
from events.contacts.promises import Escalated, SlaBreached
from tests.escalation.given import AGENT, Story, at, promise, rules

ORDER = Escalate(event_id="x-1", by="chief", reason="too hard")
BROKEN_ESCALATES = rules(promise(escalates=True, warn_at_percent=None))


def escalated(story: Story, order: Escalate = ORDER) -> Escalated:
    """Decides, and keeps what was decided."""
    decided = decide(story.request, order)
    assert isinstance(decided, Decided)
    story.request = decided.change.request
    (statement,) = decided.change.statements
    assert isinstance(statement.fact, Escalated)
    return statement.fact


def to(tier: int) -> Escalate:
    return Escalate(event_id="x-2", by="chief", reason="", to_tier=tier)


def test_it_goes_to_the_next_tier_from_where_it_stands() -> None:
    fact = escalated(Story(rules()).then("Routed", 1).then("Connected", 2))
    assert (fact.from_tier, fact.to_tier, fact.cycle, fact.leg, fact.queue) == (1, 2, 1, 1, "default")
    assert (fact.agent_id, fact.by, fact.reason) == ("a-1", "chief", "too hard")


def test_it_may_name_its_tier() -> None:
    assert escalated(Story(rules()), to(4)).to_tier == 4


@pytest.mark.parametrize("end", ["Resolved", "Abandoned"])
def test_a_closed_request_goes_nowhere(end: str) -> None:
    assert decide(Story(rules()).then(end, 1).request, ORDER) == Closed()


def test_there_is_none_above_the_top() -> None:
    story = Story(rules()).then("Requeued", 1, {"reason": "classified", "tier": 4})
    assert decide(story.request, ORDER) == AtTheTop()
    assert decide(story.request, to(4)) == AtTheTop()


@pytest.mark.parametrize("tier", [1, 2])
def test_a_tier_that_is_not_higher_is_refused(tier: int) -> None:
    story = Story(rules()).then("Requeued", 1, {"reason": "classified", "tier": 2})
    assert decide(story.request, to(tier)) == NotHigher(2)


def test_while_one_is_pending_another_is_the_same() -> None:
    story = Story(rules())
    escalated(story)
    assert decide(story.request, to(3)) == AlreadyPending(Pending("x-1", 2))


def test_it_stays_pending_over_a_new_leg_of_the_cycle() -> None:
    """The router applies it in its cycle, whatever the leg: another one would lift the request twice."""
    story = Story(rules()).then("Routed", 1)
    escalated(story)
    story.then("OfferClosed", 2, {"reason": "declined"}).then("Routed", 3)
    assert decide(story.request, ORDER) == AlreadyPending(Pending("x-1", 2))


def test_it_is_pending_no_longer_once_it_is_in_effect() -> None:
    story = Story(rules())
    escalated(story)
    story.then("Requeued", 1, {"reason": "escalated", "tier": 2}, causation_id="x-1")
    assert escalated(story, Escalate(event_id="x-2", by="chief", reason="")).to_tier == 3


@pytest.mark.parametrize(
    "events",
    [
        [("Requeued", {"reason": "agent_lost", "tier": 2})],
        [("Connected", AGENT), ("Transferred", {"to": {"tier": 3}})],
        [("Resolved", AGENT)],
        [("Resolved", AGENT), ("Reopened", {})],
    ],
)
def test_it_is_void_once_the_request_is_as_high_or_closed(events: list[tuple[str, dict[str, object]]]) -> None:
    story = Story(rules())
    escalated(story)
    for minute, (type_, data) in enumerate(events, start=1):
        story.then(type_, minute, dict(data))
    assert story.request.pending is None


def test_it_is_later_than_all_that_is_known_of_the_request() -> None:
    story = Story(rules()).then("MessageReceived", 5, {"channel": "sms"})
    decided = decide(story.request, ORDER)
    assert isinstance(decided, Decided)
    assert decided.change.statements[0].floor_us == at(5) + 1


def test_a_broken_promise_escalates_where_it_says_so() -> None:
    story = Story(BROKEN_ESCALATES).waits(11)
    assert story.stated == ["SlaBreached", "Escalated"]
    broken, led_to = story.statements
    assert (led_to.causation_id, led_to.floor_us > broken.floor_us) == (broken.event_id, True)
    assert isinstance(led_to.fact, Escalated)
    assert (led_to.fact.by, led_to.fact.promise, led_to.fact.reason) == ("promise:connect", "connect", None)
    assert decide(story.request, ORDER) == AlreadyPending(Pending(led_to.event_id, 2))


def test_a_broken_promise_only_says_so_by_default() -> None:
    assert Story(rules(promise(warn_at_percent=None))).waits(11).stated == ["SlaBreached"]


def test_a_broken_promise_does_not_escalate_what_is_on_its_way_or_at_the_top() -> None:
    pending = Story(BROKEN_ESCALATES)
    escalated(pending)
    assert pending.waits(11).stated == ["SlaBreached"]
    top = Story(BROKEN_ESCALATES).then("Requeued", 1, {"reason": "classified", "tier": 4})
    assert top.waits(11).stated == ["SlaBreached"]


def test_a_breach_that_is_found_with_a_later_event_escalates_from_where_the_request_is_by_now() -> None:
    story = Story(BROKEN_ESCALATES).then("Routed", 11)
    assert story.stated == ["SlaBreached", "Escalated"]
    broken, led_to = (each.fact for each in story.statements)
    assert isinstance(broken, SlaBreached)
    assert isinstance(led_to, Escalated)
    assert (broken.agent_id, led_to.agent_id) == (None, "a-1")


def test_a_promise_kept_too_late_does_not_escalate() -> None:
    assert Story(BROKEN_ESCALATES).then("Connected", 11).stated == ["SlaBreached"]
