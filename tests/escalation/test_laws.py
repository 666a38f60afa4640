"""What holds for any life of a request: how often it is looked, and when, changes nothing of what is stated."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.domain.clocks import state_of
from escalation.domain.request import Request
from events.contacts.promises import Clock as ClockFact
from tests.escalation.given import AGENT, Story, at, promise, rules

Step = tuple[str, Mapping[str, object]]
Life = list[tuple[Step, int, list[float]]]

RULES = rules(
    promise(600_000_000),
    promise(400_000_000, promise="answer", start="Routed", warn_at_percent=50),
    promise(1_200_000_000, promise="resolve", stop="Resolved", paused_in=["customer", "third_party"]),
    promise(300_000_000, start="Reopened"),
)
STEPS: tuple[Step, ...] = (
    ("Routed", AGENT),
    ("Connected", AGENT),
    ("OfferClosed", {"reason": "declined"}),
    ("Paused", {"reason": "customer"}),
    ("Paused", {"reason": "hold"}),
    ("Resumed", {}),
    ("Transferred", {"to": {"tier": 2}}),
    ("Requeued", {"reason": "escalated", "tier": 3}),
    ("Resolved", AGENT),
    ("Abandoned", {}),
    ("Reopened", {}),
    ("MessageReceived", {"channel": "sms"}),
)
lives = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 12), st.lists(st.floats(0, 1), max_size=2)), max_size=12
)


def told(life: Life, *, looked: bool) -> Story:
    """The life, with or without looks in between at what has come due; at its end it is looked in any case."""
    story, minute = Story(RULES), 0
    for (type_, data), pause, looks in life:
        for part in sorted(looks) if looked else ():
            story.waits(minute + part * pause)
        minute += pause
        story.then(type_, minute, dict(data))
    return story.waits(minute + 99)


def said(story: Story) -> list[tuple[str, ClockFact]]:
    return sorted((each.event_id, each.fact) for each in story.statements if isinstance(each.fact, ClockFact))


def seen(request: Request) -> list[str | None]:
    return [state_of(clock, at(999)) for clock in request.clocks]


@settings(max_examples=200, deadline=None)
@given(lives)
def test_looking_often_states_what_looking_once_does(
    life: Life,
) -> None:
    often, once = told(life, looked=True), told(life, looked=False)
    assert said(often) == said(once)
    assert often.request.clocks == once.request.clocks


@settings(max_examples=200, deadline=None)
@given(lives)
def test_each_verdict_is_stated_once_and_agrees_with_the_clock(
    life: Life,
) -> None:
    story = told(life, looked=True)
    ids = [each.event_id for each in story.statements]
    assert len(ids) == len(set(ids))
    verdicts = [(fact.promise, fact.cycle, type(fact).__name__) for _, fact in said(story)]
    for clock, state in zip(story.request.clocks, seen(story.request), strict=True):
        of_clock = {
            type_ for promised, cycle, type_ in verdicts if (promised, cycle) == (clock.terms.promise, clock.cycle)
        }
        assert ("SlaMet" in of_clock) == (state == "met")
        assert ("SlaBreached" in of_clock) == (state == "breached")
