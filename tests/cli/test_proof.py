"""The check that nothing was lost is shown to catch what it is there for."""

from __future__ import annotations

import httpx
import pytest

from tests.cli.fakes import STACK
from throughline.client import Client
from throughline.proof import prove, settle
from throughline.trouble import Trouble

GOOD = [("e-1", False), ("e-2", False), ("e-2", True), ("e-3", False), (None, False)]


class FakeAudit:
    """A log of (event id, marked as a duplicate) in pages of two, and a residual."""

    def __init__(self, log: list[tuple[str | None, bool]], residual: str = "0.0") -> None:
        self.log, self.residual = log, residual
        self.lags = [3, 0]
        self.outbox = [5, 1, 0]

    def client(self) -> Client:
        """A client that meets this fake alone."""
        return Client(STACK, patience_s=0.1, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match request.url.host, request.url.path:
            case "audit.test", "/v1/events":
                return self._page(int(request.url.params.get("cursor", "0")))
            case "audit.test", "/v1/positions":
                lag = self.lags.pop(0) if len(self.lags) > 1 else self.lags[0]
                return httpx.Response(200, json={"items": [{"lag": lag}, {"lag": 0}], "next_cursor": None})
            case "audit.test", "/metrics":
                return httpx.Response(200, text=f"# HELP x\nthroughline_residual_us {self.residual}\n")
            case _:
                rows = self.outbox.pop(0) if len(self.outbox) > 1 else self.outbox[0]
                return httpx.Response(200, text=f"throughline_outbox_rows {rows}\n")

    def _page(self, start: int) -> httpx.Response:
        items = [{"event_id": event_id, "duplicate": again} for event_id, again in self.log[start : start + 2]]
        return httpx.Response(200, json={"items": items, "next_cursor": str(start + len(items))})


def ignored(*_: int) -> None:
    """Nobody watches."""


def test_each_event_once_and_no_residual_holds() -> None:
    proof = prove(FakeAudit(GOOD).client(), ["e-1", "e-2", "e-3"], ignored)
    assert proof.holds
    assert proof.due == 3


def test_a_lost_event_is_caught() -> None:
    proof = prove(FakeAudit(GOOD[1:]).client(), ["e-1", "e-2", "e-3"], ignored)
    assert not proof.holds
    assert proof.missing == ("e-1",)


def test_an_event_that_counts_twice_is_caught() -> None:
    proof = prove(FakeAudit([*GOOD, ("e-3", False)]).client(), ["e-1", "e-2", "e-3"], ignored)
    assert not proof.holds
    assert proof.doubled == ("e-3",)


@pytest.mark.parametrize("residual", ["1.0", "-2.0"])
def test_a_timeline_that_does_not_add_up_is_caught(residual: str) -> None:
    assert not prove(FakeAudit(GOOD, residual).client(), ["e-1"], ignored).holds


def test_settling_waits_for_the_outbox_and_for_audit() -> None:
    told: list[tuple[int, int]] = []
    settle(FakeAudit(GOOD).client(), 10, lambda rows, lag: told.append((rows, lag)))
    assert told == [(5, 3), (1, 0), (0, 0)]


def test_an_empty_outbox_alone_is_not_settled() -> None:
    audit = FakeAudit(GOOD)
    audit.outbox, audit.lags = [0], [4, 2, 0]
    told: list[tuple[int, int]] = []
    settle(audit.client(), 10, lambda rows, lag: told.append((rows, lag)))
    assert told == [(0, 4), (0, 2), (0, 0)]


def test_what_does_not_settle_is_told_with_how_far_it_came() -> None:
    audit = FakeAudit(GOOD)
    audit.lags = [7]
    with pytest.raises(Trouble, match="7 records behind"):
        settle(audit.client(), 0, ignored)
