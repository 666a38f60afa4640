"""A batch of live commands in one transaction: keys first, then decisions, locks, events, and the answers last.

What is decided rests on what was read before any lock was held. Nothing that is read ever changes, it can only come
into being; where it did so meanwhile, writing it again fails, everything is rolled back and the batch is run again. So
no key is ever stored without its event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.clock import Clock
from chassis.errors import InFlight, KeyReused, NotFound, Refused
from chassis.idempotency import Claim
from chassis.reservation import Reserved
from chassis.store import Append, Appended, NewEvent
from intake.app import facts
from intake.app.answers import Answer, again
from intake.app.ports import LiveUnit
from intake.app.seals import Seals, seals_for
from intake.domain import streams
from intake.domain.commands import Command, Receive
from intake.domain.decide import Decision, Joined, Started, Unknown, decide_all
from intake.domain.keys import Busy, Duplicate, Reused, Taken, Verdict, judge

Outcome = Answer | Refused
Stated = tuple[Command, Started | Joined]


@dataclass(frozen=True, slots=True)
class Settled:
    """One outcome for each command of the batch, in order, and what was appended, for the metrics."""

    outcomes: Sequence[Outcome]
    appended: Appended | None


async def settle(unit: LiveUnit, clock: Clock, commands: Sequence[Command]) -> Settled:
    """Writes all that a batch comes to. Raises `StaleTransaction` where it must be run again from its beginning."""
    reserved = await unit.reserve([command.use for command in commands if command.use])
    refused = _judged(commands, reserved)
    fresh = [command for command in commands if command.event_id not in refused]
    decisions, news = decide_all(await unit.known(*_named(fresh)), fresh)
    refused |= {c.event_id: _unknown(d) for c, d in zip(fresh, decisions, strict=True) if isinstance(d, Unknown)}
    stated = _stated(fresh, decisions)
    if not stated:
        return Settled([refused[command.event_id] for command in commands], None)
    await unit.hold(streams.of_request(made.request_id) for _, made in stated if made.request_id not in news.customers)
    await unit.learn(news)
    seals = await seals_for(unit, (decision for _, decision in stated))
    appended = await unit.append([*seals.made, *_appends(stated, seals, clock.now_us())])
    answers = {command.event_id: _answer(command, decision, appended) for command, decision in stated}
    await unit.claim(_claims(fresh, answers))
    outcomes = refused | answers
    return Settled([outcomes[command.event_id] for command in commands], appended)


def _judged(commands: Sequence[Command], reserved: Reserved) -> dict[str, Outcome]:
    """By event id, the commands whose key settles them."""
    settled: dict[str, Outcome] = {}
    marks: set[tuple[str, str]] = set()
    for command in commands:
        if command.use is None or command.mark is None:
            continue
        first = reserved.first.get(command.mark)
        # The desk lets one use of a key in at a time; a batch that holds two all the same must not state two events.
        in_flight = command.mark in reserved.busy or command.mark in marks
        marks.add(command.mark)
        taken = None if first is None else Taken(first.hash, first.answer)
        verdict = judge(command.use, taken, in_flight=in_flight)
        outcome = _by_key(verdict)
        if outcome is not None:
            settled[command.event_id] = outcome
    return settled


def _by_key(verdict: Verdict) -> Outcome | None:
    match verdict:
        case Duplicate(answer):
            return again(answer)
        case Reused():
            return KeyReused("This Idempotency-Key stands for another body: send this one under a key of its own.")
        case Busy():
            return InFlight("A request with this key is being worked on: send it again in a moment.")
    return None


def _named(commands: Iterable[Command]) -> tuple[set[str], set[UUID], set[UUID]]:
    """The requests, threads and identifiers that the commands name."""
    requests: set[str] = set()
    threads: set[UUID] = set()
    identifiers: set[UUID] = set()
    for command in commands:
        if not isinstance(command, Receive):
            requests.add(command.request_id)
        elif command.continues is not None:
            requests.add(command.continues)
        else:
            identifiers.update(command.identifiers)
        if isinstance(command, Receive) and command.thread is not None:
            threads.add(command.thread)
    return requests, threads, identifiers


def _stated(commands: Iterable[Command], decisions: Iterable[Decision]) -> list[Stated]:
    pairs = zip(commands, decisions, strict=True)
    return [(command, decision) for command, decision in pairs if not isinstance(decision, Unknown)]


def _unknown(decision: Unknown) -> NotFound:
    return NotFound(f"There is no request {decision.request_id} received here; imported ones take no commands.")


def _appends(stated: Iterable[Stated], seals: Seals, now_us: int) -> list[Append]:
    """One append a stream: a thread's first contact and its follow-ups may come in one batch."""
    new: set[str] = set()
    events: dict[str, list[NewEvent]] = {}
    for command, decision in stated:
        if isinstance(decision, Started):
            new.add(decision.request_id)
        event = facts.of_command(command, decision, now_us, *seals.under(decision))
        events.setdefault(streams.of_request(decision.request_id), []).append(event)
    return [Append(stream, 0 if stream in new else None, tuple(made)) for stream, made in events.items()]


def _answer(command: Command, decision: Started | Joined, appended: Appended) -> Answer:
    continued = isinstance(decision, Joined) and decision.continued
    received_us = appended.occurred_us[command.event_id]
    return Answer(decision.request_id, command.event_id, received_us, continued)


def _claims(commands: Iterable[Command], answers: Mapping[str, Answer]) -> list[Claim]:
    """The keys of those that were carried out. One that was refused is not remembered: nothing was done."""
    return [
        Claim(command.use.scope, command.use.key, command.use.hash, answers[command.event_id].stored())
        for command in commands
        if command.use is not None and command.event_id in answers
    ]
