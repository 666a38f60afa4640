"""Importing a file: what is sent, what is not sent again, and what is said of refused lines."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from tests.cli.fakes import STACK, FakeIntake, events, ndjson
from throughline.batches import Batch, batches
from throughline.importing import Importer, wrong
from throughline.ledger import Ledger, Totals, target_of
from throughline.trouble import Unreachable


def ignored(batch: Batch, totals: Totals) -> None:
    """Nobody watches the bar."""


def imported(
    intake: FakeIntake,
    content: bytes,
    ledger: Ledger | None = None,
    *,
    in_flight: int = 1,
    patience_s: float = 0.2,
) -> Totals:
    """Runs one import to its end, ten lines a batch, with little patience."""
    ledger = ledger or Ledger(None, "")
    ledger.open()
    importer = Importer(
        STACK, ledger, ignored, in_flight=in_flight, patience_s=patience_s, transport=intake.transport()
    )
    return asyncio.run(importer.send(batches(io.BytesIO(content), most_lines=10)))


def test_every_line_is_sent_once() -> None:
    intake = FakeIntake()
    totals = imported(intake, ndjson(*events(95)), in_flight=4)
    assert (totals.accepted, totals.duplicate, totals.refused) == (95, 0, [])
    assert sum(intake.calls) == 95
    assert len(intake.events) == 95


def test_the_same_import_again_is_all_duplicates() -> None:
    intake = FakeIntake()
    imported(intake, ndjson(*events(30)))
    totals = imported(intake, ndjson(*events(30)))
    assert (totals.accepted, totals.duplicate) == (0, 30)


def test_a_busy_intake_is_asked_again() -> None:
    intake = FakeIntake(busy=3)
    assert imported(intake, ndjson(*events(20)), patience_s=10).accepted == 20


def test_a_refused_line_is_told_by_its_number_in_the_file_and_its_field() -> None:
    good = events(12)
    content = ndjson(*good[:11]) + b"\n\n" + ndjson({"refuse": True, "event_id": "x"}, good[11])
    totals = imported(FakeIntake(), content)
    (refusal,) = totals.refused
    assert refusal.line == 14
    assert refusal.errors == ({"field": "data.channel", "reason": "is required"},)
    assert refusal.text == '{"refuse": true, "event_id": "x"}'
    assert totals.accepted == 12


def test_an_import_that_lost_intake_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = ndjson(*events(50))
    intake = FakeIntake(gone_after=3)
    with pytest.raises(Unreachable):
        imported(intake, content, Ledger(tmp_path / "f.importing", "here"))
    intake.gone_after = None
    totals = imported(intake, content, Ledger(tmp_path / "f.importing", "here"))
    assert intake.calls == [10] * 5
    assert (totals.accepted, totals.skipped) == (50, 30)


def test_a_ledger_torn_by_a_kill_costs_one_batch_and_no_line(tmp_path: Path) -> None:
    path, content = tmp_path / "f.importing", ndjson(*events(50))
    intake = FakeIntake(gone_after=3)
    with pytest.raises(Unreachable):
        imported(intake, content, Ledger(path, "here"))
    path.write_bytes(path.read_bytes()[:-7])
    intake.gone_after = None
    totals = imported(intake, content, Ledger(path, "here"))
    assert sum(intake.calls) == 60
    assert (totals.accepted, totals.duplicate, totals.skipped) == (40, 10, 20)


def test_what_is_noted_after_a_torn_line_is_not_lost_with_it(tmp_path: Path) -> None:
    path, content = tmp_path / "f.importing", ndjson(*events(50))
    intake = FakeIntake(gone_after=2)
    with pytest.raises(Unreachable):
        imported(intake, content, Ledger(path, "here"))
    path.write_bytes(path.read_bytes()[:-7])
    intake.gone_after = 4
    with pytest.raises(Unreachable):
        imported(intake, content, Ledger(path, "here"))
    intake.gone_after = None
    assert imported(intake, content, Ledger(path, "here")).skipped == 30


def test_refused_lines_of_an_earlier_run_are_not_forgotten(tmp_path: Path) -> None:
    content = ndjson({"refuse": True, "event_id": "x"}, *events(19))
    intake = FakeIntake(gone_after=1)
    with pytest.raises(Unreachable):
        imported(intake, content, Ledger(tmp_path / "f.importing", "here"))
    intake.gone_after = None
    assert [each.line for each in imported(intake, content, Ledger(tmp_path / "f.importing", "here")).refused] == [1]


def test_another_stack_gets_everything(tmp_path: Path) -> None:
    path, content = tmp_path / "f.importing", ndjson(*events(20))
    imported(FakeIntake(), content, Ledger(path, "here"))
    there = FakeIntake()
    assert imported(there, content, Ledger(path, "there")).skipped == 0
    assert len(there.events) == 20


def test_lines_edited_between_two_runs_are_sent(tmp_path: Path) -> None:
    path, content = tmp_path / "f.importing", events(20)
    imported(FakeIntake(), ndjson(*content), Ledger(path, "here"))
    content[3] = {"event_id": "e-new", "type": "Routed"}
    intake = FakeIntake()
    imported(intake, ndjson(*content), Ledger(path, "here"))
    assert "e-new" in intake.events
    assert sum(intake.calls) <= 20


def test_a_ledger_never_holds_the_token() -> None:
    assert "secret" not in target_of(STACK)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("type: is unknown", {"field": "", "reason": "type: is unknown"}),
        ({"field": "type", "reason": "is unknown"}, {"field": "type", "reason": "is unknown"}),
        ({"detail": "no such thing"}, {"field": "", "reason": "no such thing"}),
    ],
)
def test_what_is_wrong_with_a_line_is_read_from_any_form_of_error(error: object, said: dict[str, str]) -> None:
    assert wrong(error) == (said,)
