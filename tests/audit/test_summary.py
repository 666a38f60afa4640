"""The summary row of a request."""

from __future__ import annotations

from audit.domain.batch import arrive, join
from audit.domain.reading import folded
from audit.domain.summary import PROJECTION, Summary, summarise, summary_of
from chassis.records import Record
from events.lifecycle import REPORTED, Entry, fold
from tests.audit.given import CONTACT, MINUTE, START, Writer, life


def summary(*records: Record) -> Summary:
    return summarise("r-1", join(arrive(records, {}), {}, {}).grown["r-1"])


def test_it_has_what_lists_and_reports_need() -> None:
    row = summary(*life(Writer()))
    assert (row.customer_id, row.channel, row.support_level, row.severity) == ("c-1", "voice", "standard", 3)
    assert [row.received_us, row.routed_us, row.connected_us, row.resolved_us] == [
        START + minutes * MINUTE for minutes in (0, 1, 3, 7)
    ]
    named = dict(zip([metric.name for metric in REPORTED], row.metrics, strict=True))
    assert (named["received_to_routed_us"], named["handle_us"]) == (MINUTE, 4 * MINUTE)
    assert named["abandon_us"] is None


def test_lists_show_the_last_leg_and_reports_count_the_first_that_connected() -> None:
    writer = Writer()
    records = life(writer)[:3]
    records.append(writer.event("Transferred", {"to": {"queue": "billing"}}, minute=4))
    records.append(writer.event("Connected", {"agent_id": "a-2", "tier": 2}, minute=5))
    row = summary(*records)
    assert (row.queue, row.tier, row.agent_id) == ("billing", 2, "a-2")
    assert (row.report_queue, row.report_tier, row.report_agent_id) == ("default", 1, "a-1")


def test_without_its_contact_a_request_is_known_and_stands_nowhere() -> None:
    row = summary(Writer().event("Routed", {"agent_id": "a"}))
    assert (row.state, row.received_us, row.queue, row.report_queue, row.events) == (None, None, None, None, 1)


def test_known_times_are_those_of_the_log_and_stated_times_bound_every_headline() -> None:
    writer = Writer()
    first = writer.event("ContactReceived", CONTACT, minute=5)
    last = writer.event("Routed", {"agent_id": "a"}, minute=2, causation_id=_id(first))
    row = summary(first, last)
    assert (row.first_known_us, row.last_known_us) == (first.timestamp_us, last.timestamp_us)
    assert (row.earliest_us, row.latest_us) == (START + 2 * MINUTE, START + 5 * MINUTE)
    assert row.routed_us == START + 5 * MINUTE


def test_what_the_cache_leaves_out_of_the_data_changes_no_summary() -> None:
    data = CONTACT | {"sealed": {"key_id": "k"}, "support_level": "gold", "severity": 1, "context": {"product": "x"}}
    full = [Entry("e", "ContactReceived", "/s", 1, None, 0, data | {"occurred_at": "1970-01-01T00:00:00Z"})]
    kept = [Entry(e.event_id, e.type, e.source, 1, None, 0, folded(e.type, e.data)) for e in full]
    assert summary_of("r", fold(full), 1, 1) == summary_of("r", fold(kept), 1, 1)


def test_the_projections_number_fits_its_column_and_stands_in_every_row() -> None:
    assert 0 < PROJECTION < 2**31
    assert summary(*life(Writer())).projection == PROJECTION


def _id(record: Record) -> str:
    return (dict(record.headers)["ce_id"] or b"").decode()
