"""Is this a new contact or a continuation: pure decisions over what intake knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from intake.domain.commands import AddMessage, Command, GiveFeedback, Receive
from intake.domain.identifiers import customer_id_of


@dataclass(slots=True)
class Known:
    """What intake knows of the live requests, threads and identities that a batch of commands names.

    `customers` maps the id of a live request to its customer's id; an imported request is not among them. All three only
    ever grow, and an entry never changes: who came first stays.
    """

    customers: dict[str, str] = field(default_factory=dict)
    threads: dict[UUID, str] = field(default_factory=dict)
    identities: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A new request of this customer: ContactReceived."""

    request_id: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class Joined:
    """One more event of a request that there is, under its customer's key; `continued` where it came as a contact."""

    type: str
    request_id: str
    customer_id: str
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no live request of this id."""

    request_id: str


Decision = Started | Joined | Unknown


def decide(known: Known, command: Command) -> Decision:
    """What a command comes to, in the light of what is known."""
    match command:
        case AddMessage():
            return _join(known, command.request_id, "MessageReceived")
        case GiveFeedback():
            return _join(known, command.request_id, "FeedbackReceived")
        case Receive(continues=str() as request_id):
            return _join(known, request_id, "MessageReceived", continued=True)
        case Receive(thread=UUID() as thread) if thread in known.threads:
            return _join(known, known.threads[thread], "MessageReceived", continued=True)
        case Receive():
            customer_id = customer_id_of(command.customer_id, command.identifiers, known.identities)
            return Started(command.request_id, customer_id)


def evolve(known: Known, command: Command, decision: Decision) -> None:
    """Takes a decision into what is known, in place, so that the next command of the batch sees it.

    A thread is bound to the first request that it came with. An identity is learned from a contact that starts a request
    alone: who writes into another's request need not be that customer.
    """
    if not isinstance(command, Receive) or isinstance(decision, Unknown):
        return
    if command.thread is not None:
        known.threads.setdefault(command.thread, decision.request_id)
    if isinstance(decision, Started):
        known.customers[decision.request_id] = decision.customer_id
        for identifier in command.identifiers:
            known.identities.setdefault(identifier, decision.customer_id)


def decide_all(known: Known, commands: Iterable[Command]) -> list[Decision]:
    """The decisions on a batch, each in the light of those before it. `known` is evolved in place."""
    decisions = []
    for command in commands:
        decision = decide(known, command)
        evolve(known, command, decision)
        decisions.append(decision)
    return decisions


def _join(known: Known, request_id: str, kind: str, *, continued: bool = False) -> Joined | Unknown:
    customer_id = known.customers.get(request_id)
    if customer_id is None:
        return Unknown(request_id)
    return Joined(kind, request_id, customer_id, continued)
