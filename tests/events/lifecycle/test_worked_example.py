"""The example in docs/timing.md is true: its events, folded, give its other tables."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from events.lifecycle import CYCLE_METRICS, REPORTED, Entry, Life, fold
from events.lifecycle.samples import said
from events.times import to_us

PAGE = Path(__file__).parents[3] / "docs" / "timing.md"


def rows(head: str) -> Iterator[list[str]]:
    """The cells of the table that begins with `head`, without head and rule."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for line in lines[lines.index(head) + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def story() -> list[Entry]:
    told: list[Entry] = []
    for at, type_, members in rows("| at | event | with |"):
        day, clock = at.split()
        said_of = dict(member.split("=") for member in members.split())
        entry = said(type_, to_us(f"2026-03-0{day}T{clock}Z"), event_id=f"{len(told):02}")
        entry.data = {name: int(value) if value.isdigit() else value for name, value in said_of.items()}
        told.append(entry)
    told[8].causation_id = told[7].event_id
    return told


def lived() -> Life:
    return fold(story())


def grouped(us: int | None) -> str:
    return "null" if us is None else f"{us:_}".replace("_", " ")


def test_the_page_tells_the_stretches() -> None:
    computed = [
        [
            *(str(segment.standing.state), grouped(segment.us), str(segment.standing.leg), str(segment.standing.cycle)),
            *(segment.standing.agent_id or "", str(segment.standing.tier), segment.standing.reason or ""),
        ]
        for segment in lived().segments
    ]
    assert list(rows("| state | µs | leg | cycle | agent | tier | reason |")) == computed


def test_the_page_tells_the_numbers() -> None:
    life = lived()
    computed = [[metric.name, grouped(us)] for metric, us in zip(REPORTED, life.durations + life.metrics, strict=True)]
    computed += [[each.name, ", ".join(grouped(each.of(cycle)) for cycle in life.cycles)] for each in CYCLE_METRICS]
    assert [row[:2] for row in rows("| number | µs | how it comes about |")] == computed


def test_the_page_tells_the_counts() -> None:
    computed = [[name, str(count)] for name, count in asdict(lived().counts).items()]
    assert list(rows("| count | of the example |")) == computed


def test_the_story_is_whole() -> None:
    life = lived()
    assert life.residual_us == 0
    assert life.complete
    assert life.tags == []
    assert len(life.applied) == len(story())
