"""Records into a real PostgreSQL: bytes kept, histories joined, whatever comes in whatever batches."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from audit.adapters.records import Months
from audit.adapters.schema import LIVE
from audit.app.ports import StaleHistory
from audit.domain.headers import unpack
from chassis.records import Record
from tests.audit.given import CONTACT, MINUTE, START, Writer, event_id, life
from tests.support.audit import RECORDS, REQUESTS, Intaking
from tests.support.until import until

BYTES = 'select topic, partition, "offset", appended_us, key, headers, value from projection.records'


async def test_every_record_is_kept_byte_for_byte_under_its_place(intaking: Intaking) -> None:
    writer = Writer(partition=3)
    odd = [("\udcff\udcfe", b"\x00"), ("twice", b"1"), ("twice", None)]
    records = [*life(writer), writer.raw([*odd], b"\xff" * 5_000, None), writer.raw([], None), writer.raw([], b"")]
    records += [Writer("agents").event("PresenceChanged", {"status": "away"}, subject="a-1")]
    await intaking.take(records)
    kept = {row[:3]: row[3:] for row in await intaking.rows(BYTES)}
    assert len(kept) == len(records)
    for record in records:
        appended_us, key, headers, value = kept[record.topic, record.partition, record.offset]
        assert (appended_us, key, unpack(headers), value) == (
            record.timestamp_us,
            record.key,
            record.headers,
            record.value,
        )


async def test_records_are_kept_by_the_month_in_which_they_became_known(intaking: Intaking) -> None:
    writer = Writer(appended_us=START)
    await intaking.take([writer.event("Routed"), writer.event("Routed", appended_us=START + 60 * 24 * 60 * MINUTE)])
    months = "select tableoid::regclass::text from projection.records order by known_us"
    assert [name for (name,) in await intaking.rows(months)] == [
        "projection.records_2023_11",
        "projection.records_2024_01",
    ]


async def test_broken_and_unknown_records_do_no_harm_to_their_neighbours(intaking: Intaking) -> None:
    writer = Writer()
    good = life(writer)
    foreign = [
        writer.event("Routed", value=b"{"),
        writer.event("Pondered", {"tier": 10**30, "deep": [[[]]]}),
        writer.event("Connected", {"agent_id": ["not", "text"], "tier": "two"}, minute=90),
        writer.event("Routed", {"agent_id": "a\0"}),
        writer.raw([("\udcff", b"\xff")], b"\xff", b"\xff"),
    ]
    await intaking.take([*foreign, *good])
    ((_, events, state),) = await intaking.rows("select request_id, events, state from projection.requests")
    assert (events, state) == (len(good) + 1, "resolved")
    marks = await intaking.rows("select unreadable is not null, event_id is null from projection.records")
    assert sorted(marks) == [(False, False)] * 5 + [(True, True)] * 4


async def test_ids_and_names_of_any_length_are_taken(intaking: Intaking) -> None:
    long = "ü" * 200_000
    contact = {"channel": "chat", "customer": {"id": long}, "queue": long}
    writer = Writer()
    await intaking.take([writer.event("ContactReceived", contact), writer.event("Connected", {"agent_id": long})])
    assert await intaking.rows("select customer_id, queue, agent_id from projection.requests") == [(long, long, long)]


async def test_a_restarted_ingest_goes_on_where_the_last_one_was(intaking: Intaking) -> None:
    writer = Writer(appended_us=START)
    records = life(writer)
    await intaking.take(records[:2])
    another = Intaking(intaking.db)
    late = records[3]._replace(timestamp_us=START - 10 * MINUTE)
    await another.take([records[2], late])
    ((state, last_known_us, events),) = await intaking.rows(
        "select state, last_known_us, events from projection.requests"
    )
    assert (state, events) == ("resolved", 4)
    # The broker's clock stepped back: the last record is known no earlier than the one before it.
    assert last_known_us == records[2].timestamp_us


async def test_a_summary_is_written_only_over_the_row_that_it_was_made_from(intaking: Intaking) -> None:
    writer = Writer()
    received, routed, connected, resolved = life(writer)
    await intaking.take([received])
    await Intaking(intaking.db).take([routed])
    with pytest.raises(StaleHistory):
        await intaking.take([connected])
    assert await intaking.rows("select count(*) from projection.records") == [(2,)]
    await intaking.take([connected, resolved])
    assert await intaking.rows("select events, state from projection.requests") == [(4, "resolved")]


async def test_of_two_who_both_hold_a_request_for_new_one_reads_anew(intaking: Intaking) -> None:
    contact = Writer(partition=1).event("ContactReceived", CONTACT)
    routed = Writer().event("Routed", {"agent_id": "a-1"}, minute=1)
    await intaking.take([Writer(partition=2).event("Routed", subject="r-other")])
    late = Intaking(intaking.db)
    async with intaking.db.transaction() as tx:
        await intaking.ingest.handle(tx, [contact])
        taking = asyncio.create_task(late.take([routed]))
        await until(lambda: _someone_waits(intaking), what="the second insert waits for the first")
    with pytest.raises(StaleHistory):
        await taking
    await late.take([routed])
    others = "select events, state from projection.requests where request_id = 'r-1'"
    assert await intaking.rows(others) == [(2, "offered")]


async def _someone_waits(intaking: Intaking) -> bool:
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return await intaking.rows(waiting) != [(0,)]


async def test_a_misplaced_record_of_a_request_joins_what_another_replica_has_taken_in(intaking: Intaking) -> None:
    writer, elsewhere = Writer(), Writer(partition=1)
    another = Intaking(intaking.db)
    await intaking.take([writer.event("ContactReceived", CONTACT)])
    await another.take([elsewhere.event("Routed", {"agent_id": "a-1"}, minute=1)])
    assert await intaking.rows("select events, state from projection.requests") == [(2, "offered")]


async def test_a_duplicate_that_stood_elsewhere_first_changes_the_mark_of_the_one_kept_before(
    intaking: Intaking,
) -> None:
    first, second = Writer(partition=1, appended_us=START), Writer(partition=0, appended_us=START + MINUTE)
    await intaking.take([second.event("ContactReceived", CONTACT, id_=event_id(1))])
    await intaking.take([first.event("ContactReceived", CONTACT, id_=event_id(1))])
    marks = await intaking.rows("select partition, duplicate from projection.records order by partition")
    assert marks == [(0, True), (1, False)]
    known = await intaking.rows("select first_known_us, last_known_us, events from projection.requests")
    assert known == [(START + 1_000, START + 1_000, 1)]


async def test_outside_of_requests_an_event_that_was_kept_before_is_a_duplicate(intaking: Intaking) -> None:
    writer = Writer("policies")
    first, second, third = (writer.event("SlaPolicyVersioned", subject="gold", id_=event_id(5)) for _ in range(3))
    await intaking.take([first])
    await intaking.take([second, third])
    marks = await intaking.rows('select duplicate from projection.records order by "offset"')
    assert marks == [(False,), (True,), (True,)]


async def test_months_are_made_once_and_by_whoever_comes_first(intaking: Intaking) -> None:
    one, other = Months(LIVE), Months(LIVE)
    for months in (one, other, one):
        async with intaking.db.transaction() as tx:
            await months.make(tx, months.missing([START]))
    assert one.missing([START]) == []
    names = await intaking.rows("select count(*) from pg_inherits where inhparent = 'projection.records'::regclass")
    assert names == [(2,)]


def logs(draw: random.Random) -> list[list[Record]]:
    """Four partitions with requests of any events, doubled here and there, a few records broken or elsewhere."""
    kinds = ["Routed", "Connected", "OfferClosed", "Paused", "Resumed", "Transferred", "Requeued", "Escalated"]
    kinds += ["Resolved", "Abandoned", "Reopened", "MessageReceived", "Pondered"]
    writers = [Writer(partition=n, appended_us=START + draw.randrange(5) * 1_000) for n in range(4)]
    found: list[list[Record]] = [[] for _ in writers]
    for number in range(160):
        request = draw.randrange(12)
        partition = request % 4 if draw.random() < 0.95 else draw.randrange(4)
        type_ = "ContactReceived" if draw.random() < 0.2 else draw.choice(kinds)
        data = CONTACT if type_ == "ContactReceived" else {"agent_id": f"a-{draw.randrange(3)}", "reason": "declined"}
        id_ = event_id(draw.randrange(120) if draw.random() < 0.3 else 1_000 + number)
        record = writers[partition].event(type_, data, subject=f"r-{request}", minute=draw.randrange(50), id_=id_)
        found[partition].append(record._replace(value=b"?") if draw.random() < 0.05 else record)
    return found


def interleaved(draw: random.Random, found: Sequence[Sequence[Record]]) -> list[Record]:
    """Each partition in its order, the partitions among each other in any."""
    turns = [number for number, log in enumerate(found) for _ in log]
    draw.shuffle(turns)
    left = [iter(log) for log in found]
    return [next(left[number]) for number in turns]


@pytest.mark.parametrize("seed", range(4))
async def test_however_partitions_interleave_and_batches_are_cut_the_tables_are_the_same(
    intaking: Intaking, seed: int
) -> None:
    draw = random.Random(seed)
    found = logs(draw)
    await intaking.take([record for log in found for record in log])
    requests, records = await intaking.rows(REQUESTS), await intaking.rows(RECORDS)
    assert len(requests) == 12
    for size, most_events in ((3, 0), (17, 30), (50, 10_000)):
        async with intaking.db.connection() as connection:
            await connection.execute("truncate projection.records, projection.requests")
        await Intaking(intaking.db, most_events=most_events).take_all(interleaved(draw, found), size)
        assert await intaking.rows(REQUESTS) == requests
        assert await intaking.rows(RECORDS) == records
