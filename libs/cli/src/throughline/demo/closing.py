"""What is shown when the day is over: one escalated contact, the day's report, the proof and where to look further."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from events.times import to_us
from throughline.command_report import durations
from throughline.demo.playing import Run
from throughline.demo.proof import Proof
from throughline.drawing import drawing
from throughline.reports import table
from throughline.session import Session
from throughline.trouble import Trouble

Record = Mapping[str, Any]

SHOWN_METRICS = ("speed_of_answer_us", "handle_us", "abandon_us")
EVENTFUL = {"Paused", "Transferred", "OfferClosed", "SuggestionUsed", "Reopened", "FeedbackReceived", "MessageReceived"}
DOCUMENTED = "/docs"
LAPSES_IN_A_CALM_DAY = 0.02  # of the offers: four times what the agents let lapse by themselves


def close(session: Session, run: Run, proof: Proof) -> None:
    """Shows it all. Raises Trouble where the proof does not hold."""
    shown = most_eventful(run.log.by_request)
    _show_timeline(session, shown)
    _show_report(session, run)
    _show_happenings(session, run)
    _show_proof(session, proof)
    _show_addresses(session, run, shown)


def most_eventful(histories: Mapping[str, Sequence[Record]]) -> str | None:
    """The escalated and resolved request with the most different things in its life; the first of those with as many.

    One that was never given up goes before all others, since each of its headline durations is known. None where
    nothing was both escalated and resolved.
    """
    kinds = {name: {record["type"] for record in records} for name, records in histories.items()}
    fitting = [name for name, seen in kinds.items() if {"Routed", "Connected", "Escalated", "Resolved"} <= seen]
    return max(fitting, key=lambda name: ("Abandoned" not in kinds[name], len(kinds[name] & EVENTFUL)), default=None)


def _show_timeline(session: Session, request_id: str | None) -> None:
    session.say("\n[bold]One contact that was escalated, to the microsecond[/bold]")
    if request_id is None:
        session.say("  none was, this time")
        return
    found = session.client.get("audit", f"/v1/requests/{request_id}/timeline")
    session.console.print(drawing(found, session.console.width))


def _show_report(session: Session, run: Run) -> None:
    session.say(
        f"\n[bold]The day by channel and tier[/bold] (real times; times {run.scale.people:g} they are the bank's)"
    )
    received = [record["occurred_at"] for record in first_of(run.log.by_request.values())]
    if not received:
        return
    start_us, end_us = to_us(min(received)), to_us(max(received)) + 1
    report = durations(session.client, start_us, end_us, group_by="channel,tier")
    session.console.print(table(report, SHOWN_METRICS, session.console.width))
    others = sum(group["requests"] for group in report["groups"]) - len(received)
    if others > 0:
        session.say(f"  {others:,} of these are not the demo's: they came in at the same time")


def first_of(histories: Iterable[Sequence[Record]]) -> list[Record]:
    """The ContactReceived of each."""
    return [records[0] for records in histories if records]


def _show_happenings(session: Session, run: Run) -> None:
    counts, happened = run.tally.counts, run.cases.happened
    said = {
        "escalated": counts["Escalated"],
        "declined": counts["declined"],
        "let lapse": counts["expired"],
        "lost by an agent whose computer failed": counts["agent_lost"],
        "transferred": counts["Transferred"],
        "hung up": happened["abandon"],
        "came back": counts["Reopened"],
        "started at tier 2": counts["classified"],
        "helped by a suggested article": counts["SuggestionUsed"],
        "posted twice by the gateway and taken once": run.answered.retries,
        "promises of an answer kept": counts["SlaMet"],
        "promises broken": counts["SlaBreached"],
    }
    session.say("\n[bold]What happened[/bold]")
    session.say(f"  {', '.join(f'{count:,} {what}' for what, count in said.items() if count)}")
    if counts["expired"] > LAPSES_IN_A_CALM_DAY * counts["Routed"]:
        session.say("  So many offers lapse where a machine is busy with other things: more --seconds give it room.")


def _show_proof(session: Session, proof: Proof) -> None:
    loads = proof.capacity.loads
    session.say("\n[bold]The demo's own audit[/bold] (from audit's events, by sums of its own)")
    session.say(
        f"  {proof.contacts:,} contacts were answered 202; {proof.contacts - len(proof.untold):,} have a timeline"
    )
    session.say(
        f"  {proof.answered:,} events were answered with yes, {len(proof.missing):,} of them missing; "
        f"{proof.logged:,} in the log, {len(proof.doubled):,} twice"
    )
    session.say(f"  greatest residual of any timeline: {proof.residual_us} µs")
    session.say(
        f"  {sum(load.most > load.capacity for load in loads)} of {len(loads)} agents' channels over capacity at any "
        f"moment, {proof.capacity.full} of them full to the last unit at some"
    )
    if wrong := proof.wrong:
        raise Trouble("the demo's audit failed", "\n".join(wrong))


def _show_addresses(session: Session, run: Run, shown: str | None) -> None:
    session.say("\n[bold]To look at[/bold]")
    for name, url in session.stack.services.items():
        session.say(f"  {name:<11} {url}{DOCUMENTED}   {url}/metrics")
    audit, router = session.stack.url("audit"), session.stack.url("router")
    session.say(f"  queues      {router}/v1/queues")
    if shown:
        session.say(f"  timeline    {audit}/v1/requests/{shown}/timeline")
        session.say(f"              {_command()} timeline {shown}")
    session.say(f"  this run's queues, agents and customers end in -{run.wire.run}")
    run_dir = session.stack.run_dir
    kept = os.path.relpath(run_dir / "stack.json") if run_dir else "THROUGHLINE_TOKEN"
    session.say(f"  the paths under /v1 want the header Authorization: Bearer …, with the token that is in {kept}")


def _command() -> str:
    """How to call this command from where we are: by its name, or by its path where that does not lead to it."""
    beside = Path(sys.executable).with_name("throughline")
    return "throughline" if shutil.which("throughline") else os.path.relpath(beside)
