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

    `customers` maps the id of a live request to its customer's id; an imported request is not among them. All three
    only ever grow, and an entry never changes: who came first stays.
    """

    customers: dict[str, str] = field(default_factory=dict)
    threads: dict[UUID, str] = field(default_factory=dict)
    identities: dict[UUID, str] = field(default_factory=dict)


@dataclass(slots=True)
class News:
    """What a batch adds to what is known, in the same three maps."""

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


def learned(known: Known, command: Command, decision: Decision) -> News:
    """What a decision adds.

    A thread is bound to the first request that it came with. An identity is learned from a contact that starts a
    request alone: who writes into another's request need not be that customer.
    """
    news = News()
    if not isinstance(command, Receive) or isinstance(decision, Unknown):
        return news
    if command.thread is not None and command.thread not in known.threads:
        news.threads[command.thread] = decision.request_id
    if isinstance(decision, Started):
        news.customers[decision.request_id] = decision.customer_id
        unknown = (identifier for identifier in command.identifiers if identifier not in known.identities)
        news.identities.update(dict.fromkeys(unknown, decision.customer_id))
    return news


def evolve(known: Known | News, news: News) -> None:
    """Adds news to what is known, in place."""
    known.customers.update(news.customers)
    known.threads.update(news.threads)
    known.identities.update(news.identities)


def decide_all(known: Known, commands: Iterable[Command]) -> tuple[list[Decision], News]:
    """The decisions on a batch, each in the light of those before it, and all that they add; evolves `known`."""
    decisions, total = [], News()
    for command in commands:
        decision = decide(known, command)
        news = learned(known, command, decision)
        evolve(known, news)
        evolve(total, news)
        decisions.append(decision)
    return decisions, total


def _join(known: Known, request_id: str, kind: str, *, continued: bool = False) -> Joined | Unknown:
    customer_id = known.customers.get(request_id)
    if customer_id is None:
        return Unknown(request_id)
    return Joined(kind, request_id, customer_id, continued)
