"""Is this a new contact or a continuation? Given what is known, when a command comes, then this is decided."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from intake.domain.commands import AddMessage, Command, GiveFeedback, Receive
from intake.domain.decide import Joined, Known, Started, Unknown, decide, decide_all
from intake.domain.identifiers import identifiers_of, thread_of

ADA = identifiers_of({"email": "ada@example.com"})
THREAD = thread_of("email", "t-1")


def contact(
    request_id: str = "r-new",
    customer_id: str | None = "c-1",
    identifiers: tuple[UUID, ...] = (),
    thread: UUID | None = None,
    continues: str | None = None,
) -> Receive:
    return Receive(
        event_id="e-1",
        request_id=request_id,
        sent={"channel": "email"},
        size=19,
        customer_id=customer_id,
        identifiers=identifiers,
        thread=thread,
        continues=continues,
    )


def message(request_id: str) -> AddMessage:
    return AddMessage(event_id="e-1", request_id=request_id, sent={"channel": "sms"}, size=17)


def feedback(request_id: str) -> GiveFeedback:
    return GiveFeedback(event_id="e-1", request_id=request_id, sent={"score": 5}, size=11)


def one_request() -> Known:
    return Known({"r-1": "c-7"}, {THREAD: "r-1"}, {ADA[0]: "c-7"})


class TestAContact:
    def test_starts_a_request_of_its_customer(self) -> None:
        assert decide(Known(), contact()) == Started("r-new", "c-1")

    def test_starts_one_under_the_identity_that_is_known(self) -> None:
        assert decide(one_request(), contact(customer_id=None, identifiers=ADA)) == Started("r-new", "c-7")

    def test_of_an_unknown_customer_starts_one_under_his_identifiers_own_id(self) -> None:
        assert decide(Known(), contact(customer_id=None, identifiers=ADA)) == Started("r-new", str(ADA[0]))

    def test_that_continues_a_request_joins_it_under_that_requests_customer(self) -> None:
        joined = Joined("MessageReceived", "r-1", "c-7", continued=True)
        assert decide(one_request(), contact(customer_id="c-other", continues="r-1")) == joined

    def test_that_continues_an_unknown_request_is_refused(self) -> None:
        assert decide(one_request(), contact(continues="r-2")) == Unknown("r-2")

    def test_of_a_known_thread_joins_its_request(self) -> None:
        assert decide(one_request(), contact(thread=THREAD)) == Joined("MessageReceived", "r-1", "c-7", continued=True)

    def test_of_an_unknown_thread_starts_a_request(self) -> None:
        assert decide(Known(), contact(thread=THREAD)) == Started("r-new", "c-1")

    def test_what_it_continues_counts_before_its_thread(self) -> None:
        known = one_request()
        known.customers["r-2"] = "c-8"
        joined = Joined("MessageReceived", "r-2", "c-8", continued=True)
        assert decide(known, contact(thread=THREAD, continues="r-2")) == joined


@pytest.mark.parametrize(("order", "kind"), [(message, "MessageReceived"), (feedback, "FeedbackReceived")])
class TestAFollowUp:
    def test_joins_its_request(self, order: Callable[[str], Command], kind: str) -> None:
        assert decide(one_request(), order("r-1")) == Joined(kind, "r-1", "c-7")


@pytest.mark.parametrize("order", [message, feedback])
def test_a_follow_up_to_an_unknown_request_is_refused(order: Callable[[str], Command]) -> None:
    assert decide(one_request(), order("r-2")) == Unknown("r-2")


class TestABatch:
    def test_the_second_contact_of_a_new_thread_joins_the_first_ones_request(self) -> None:
        first, second = contact("r-a", thread=THREAD), contact("r-b", "c-2", thread=THREAD)
        assert decide_all(Known(), [first, second])[0] == [
            Started("r-a", "c-1"),
            Joined("MessageReceived", "r-a", "c-1", continued=True),
        ]

    def test_the_second_contact_of_a_new_customer_finds_his_identity(self) -> None:
        first, second = contact("r-a", "c-1", ADA), contact("r-b", None, ADA)
        assert decide_all(Known(), [first, second])[0] == [Started("r-a", "c-1"), Started("r-b", "c-1")]

    def test_who_is_known_first_stays_known_so(self) -> None:
        known = one_request()
        decide_all(known, [contact("r-a", "c-other", ADA, THREAD)])
        assert (known.identities, known.threads) == ({ADA[0]: "c-7"}, {THREAD: "r-1"})

    def test_a_contact_that_continues_binds_its_new_thread_to_that_request(self) -> None:
        known = Known({"r-1": "c-7"})
        decisions, _ = decide_all(known, [contact(thread=THREAD, continues="r-1"), contact(thread=THREAD)])
        assert [decision.request_id for decision in decisions] == ["r-1", "r-1"]

    def test_a_contact_that_joins_teaches_no_identity(self) -> None:
        known = Known({"r-1": "c-7"})
        decide_all(known, [contact(customer_id=None, identifiers=ADA, continues="r-1")])
        assert known.identities == {}

    def test_a_refused_contact_leaves_nothing(self) -> None:
        known = Known()
        decide_all(known, [contact(identifiers=ADA, thread=THREAD, continues="r-9")])
        assert known == Known()
