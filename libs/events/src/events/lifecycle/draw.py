"""The lifecycle's table drawn for readers: a Mermaid state diagram and the table itself, as Markdown."""

from typing import Final

from events.lifecycle.metrics import CYCLE_METRICS, HEADLINES, METRICS
from events.lifecycle.table import ENDS, OPENS_CYCLE, OPENS_LEG, ORDER, TRANSITIONS, State

BEGIN: Final = "<!-- drawn from the lifecycle's table: begin -->"
END: Final = "<!-- drawn from the lifecycle's table: end -->"


def redrawn(page: str) -> str:
    """`page` with what stands between the two markers drawn anew. Raises ValueError where the page lacks them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks its markers: {BEGIN} … {END}")
    return f"{head}{BEGIN}\n\n{drawing()}\n{END}{tail}"


def drawing() -> str:
    """Diagram, table of moves and registry of metrics, as Markdown."""
    return f"{diagram()}\n{table()}\n{registry()}"


def diagram() -> str:
    """One arrow per pair of states, labelled with all that leads from the one to the other."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, moves in TRANSITIONS.items():
        for type_, to in moves.items():
            arrows.setdefault((state or "[*]", to), []).append(type_)
    lines = [f"    {start} --> {stop}: {', '.join(types)}" for (start, stop), types in arrows.items()]
    lines += [f"    {state} --> [*]" for state in State if state in ENDS]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def table() -> str:
    """One row per type in the fold's order, one column per state: the next state, or a dash where nothing moves."""
    columns: list[State | None] = [None, *State]
    head = ["event", *(state or "not received" for state in columns), "opens"]
    rows = [[type_, *(TRANSITIONS[state].get(type_, "-") for state in columns), _opens(type_)] for type_ in ORDER]
    return _markdown(head, rows)


def _opens(type_: str) -> str:
    opened = [name for name, types in (("leg", OPENS_LEG), ("cycle", OPENS_CYCLE)) if type_ in types]
    return " and ".join(opened) or "-"


def registry() -> str:
    """One row per metric: name, version, start, stop, clock, cohort and what it means."""
    head = ["metric", "version", "from", "to", "clock", "cohort", "meaning"]
    rows = [
        [f"`{m.name}`", str(m.version), m.start, m.stop, m.clock, m.cohort, m.description]
        for m in (*HEADLINES, *METRICS, *CYCLE_METRICS)
    ]
    return _markdown(head, rows)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join([f"| {' | '.join(line)} |\n" for line in lines])
