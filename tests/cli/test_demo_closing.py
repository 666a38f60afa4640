"""Which contact is shown at the demo's end, and that a run without its services says so."""

from __future__ import annotations

import httpx
import pytest
from rich.console import Console

from throughline.client import Client
from throughline.command_demo import SERVICES, require
from throughline.demo.closing import most_eventful
from throughline.session import Session
from throughline.stack import Stack
from throughline.trouble import Unreachable

PLAIN = ("ContactReceived", "Routed", "Connected", "Escalated", "Requeued", "Routed", "Connected", "Resolved")


def histories(**kinds: tuple[str, ...]) -> dict[str, list[dict[str, str]]]:
    return {name: [{"type": kind} for kind in each] for name, each in kinds.items()}


def test_of_those_escalated_and_resolved_the_one_with_the_most_in_its_life_is_shown() -> None:
    found = histories(
        plain=PLAIN,
        eventful=(*PLAIN, "Paused", "SuggestionUsed"),
        unresolved=(*PLAIN[:-1], "Paused", "SuggestionUsed", "Transferred"),
        simple=("ContactReceived", "Routed", "Connected", "Paused", "Transferred", "SuggestionUsed", "Resolved"),
    )
    assert most_eventful(found) == "eventful"


def test_one_whose_headline_durations_are_all_known_goes_first() -> None:
    given_up = ("ContactReceived", "Abandoned", "MessageReceived", "Reopened", *PLAIN[1:], "Paused")
    assert most_eventful(histories(given_up=given_up, plain=PLAIN)) == "plain"
    assert most_eventful(histories(given_up=given_up)) == "given_up"


def test_where_nothing_was_escalated_nothing_is_shown() -> None:
    assert most_eventful(histories(simple=("ContactReceived", "Routed", "Connected", "Resolved"))) is None


def session(answers: dict[str, httpx.Response | None], known: tuple[str, ...] = SERVICES) -> Session:
    """A stack whose services answer /readyz like this; None: nobody is there."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.host, httpx.Response(200, json={"status": "ready", "checks": {}}))
        if found is None:
            raise httpx.ConnectError("connection refused", request=request)
        return found

    stack = Stack({name: f"http://{name}" for name in known}, "secret")
    made = Session(lambda: stack, Console(quiet=True))
    made.__dict__["client"] = Client(stack, transport=httpx.MockTransport(answer))
    return made


def test_five_ready_services_are_enough() -> None:
    require(session({}))


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"router": None}, "router: no answer from http://router"),
        (
            {"audit": httpx.Response(200, json={"status": "degraded", "checks": {"log": {"status": "failing"}}})},
            "audit: degraded (log)",
        ),
        ({"kb-search": httpx.Response(200, text="<html>")}, "kb-search: http://kb-search is no service of ours"),
    ],
)
def test_a_service_that_is_not_ready_is_named_with_what_is_wrong(
    answers: dict[str, httpx.Response | None], says: str
) -> None:
    with pytest.raises(Unreachable) as trouble:
        require(session(answers))
    assert says in str(trouble.value)
    assert "make up" in trouble.value.remedy


def test_a_service_without_an_address_is_named() -> None:
    with pytest.raises(Unreachable, match="escalation: no address is known"):
        require(session({}, known=("intake", "router", "audit", "kb-search")))
