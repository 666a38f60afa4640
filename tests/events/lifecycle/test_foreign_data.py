"""Nothing that a readable record may hold makes the fold fail: what has not its type was not said."""

from typing import Any, ClassVar

import pytest

from events.lifecycle import METRICS, Entry, State, fold, timeline
from events.lifecycle.entry import READ
from events.lifecycle.metrics import Cohort
from events.lifecycle.report import report, summarise

JUNK: list[Any] = [None, True, 7, 2**70, -1.5, "", "text", [], ["a"], {}, {"queue": 3, "tier": "x", "id": []}]
MEMBERS = ["customer", "customer_id", "channel", "queue", "tier", "agent_id", "reason", "to", "occurred_at"]
MEMBERS += ["severity", "support_level"]
LIFE = ["ContactReceived", "Routed", "OfferClosed", "Connected", "Paused", "Resumed", "Transferred", "Requeued"]
LIFE += ["Connected", "Escalated", "Resolved", "Reopened", "Abandoned", "Unheard"]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_in_any_member_of_any_event_is_folded(junk: Any) -> None:
    given = [
        Entry(f"e-{number}", type_, "/foreign", None, None, number, dict.fromkeys(MEMBERS, junk))
        for number, type_ in enumerate(LIFE)
    ]
    life = fold(given)
    assert life.state == "abandoned"
    assert life.residual_us == 0
    timeline(life, request_id="r", as_of_us=0, open_data=lambda entry: entry.data)
    report([summarise(life)], cohort=Cohort.RECEIVED, from_us=0, to_us=1, group_by=["queue", "tier", "agent_id"])


@pytest.mark.parametrize("member", ["queue", "tier"])
@pytest.mark.parametrize("junk", [None, False, 0.0, [], {}, 0, -1, 2**31, 2**70], ids=repr)
def test_what_can_be_no_queue_or_tier_leaves_the_legs_own(member: str, junk: Any) -> None:
    given = [Entry("c", "ContactReceived", "/foreign", None, None, 0, {})]
    given.append(Entry("r", "Routed", "/foreign", None, None, 1, {"agent_id": "a", member: junk}))
    leg = fold(given).legs[0]
    assert (leg.queue, leg.tier) == ("default", 1)


class Watched(dict[str, Any]):
    """Data that note what is asked of them."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def test_a_fold_looks_at_the_members_that_it_says_it_looks_at_and_at_no_others() -> None:
    data = Watched(dict.fromkeys(MEMBERS, "text"), customer={"id": "c-1"}, to={"queue": "second"})
    life = fold([Entry(f"{n}", type_, "/foreign", None, None, n, data) for n, type_ in enumerate(LIFE)])
    summarise(life)
    timeline(life, request_id="r", as_of_us=0, open_data=lambda entry: entry.data)
    assert Watched.asked == set(READ)


def test_a_pause_for_an_unheard_reason_counts_as_paused_and_as_nothing_more() -> None:
    types = ["ContactReceived", "Connected", "Paused", "Resolved"]
    given = [Entry(t, t, "/foreign", None, None, at_us, {"reason": "lunch"}) for at_us, t in enumerate(types)]
    life = fold(given)
    assert life.time_in[State.PAUSED] == 1
    named = dict(zip([metric.name for metric in METRICS], life.metrics, strict=True))
    assert (named["handle_us"], named["requester_wait_us"], named["net_resolution_us"]) == (1, 1, 3)
