"""What is counted: events that took effect, and agents who connected."""

from dataclasses import asdict

from events.lifecycle import fold
from events.lifecycle.samples import received, said


def test_a_life_full_of_incidents_is_counted_exactly() -> None:
    life = fold(
        [
            received(0),
            said("Routed", 1, agent_id="a"),
            said("OfferClosed", 2, reason="declined"),
            said("Routed", 3, agent_id="b"),
            said("OfferClosed", 4, reason="expired"),
            said("Routed", 5, agent_id="a"),
            said("OfferClosed", 6, reason="withdrawn"),
            said("Routed", 7, agent_id="a"),
            said("Connected", 8, agent_id="a"),
            said("Escalated", 9, to_tier=2),
            said("Requeued", 10, cause="Escalated@9", reason="escalated", tier=2),
            said("Connected", 11, agent_id="c"),
            said("Transferred", 12, to={"agent_id": "a"}),
            said("Connected", 13, agent_id="a"),
            said("Resolved", 14),
            said("Reopened", 15),
            said("Escalated", 16, to_tier=3),
        ]
    )
    assert asdict(life.counts) == {
        "offers": 4,
        "declines": 1,
        "expiries": 1,
        "transfers": 1,
        "escalations": 1,
        "reopens": 1,
        "agents": 2,
    }


def test_what_is_only_recorded_counts_for_nothing() -> None:
    wrong = [said("OfferClosed", 1, reason="declined"), said("Transferred", 2, to={"tier": 2}), said("Reopened", 3)]
    life = fold([received(0), *wrong, said("Resolved", 4), said("Routed", 5, agent_id="a"), said("Connected", 6)])
    assert set(asdict(life.counts).values()) == {0}


def test_an_agent_who_was_only_offered_the_request_is_not_counted() -> None:
    assert fold([received(0), said("Routed", 1, agent_id="a")]).counts.agents == 0


def test_a_customer_who_goes_while_offered_is_neither_a_decline_nor_an_expiry() -> None:
    offered = [received(0), said("Routed", 1, agent_id="a")]
    foreign = fold([*offered, said("OfferClosed", 2, reason="customer_gone"), said("Abandoned", 2)])
    ours = fold([*offered, said("Abandoned", 2)])
    for life in (foreign, ours):
        assert (life.counts.offers, life.counts.declines, life.counts.expiries) == (1, 0, 0)
        assert (life.state, life.abandoned_us) == ("abandoned", 2)
    assert (len(foreign.legs), len(ours.legs)) == (2, 1)
