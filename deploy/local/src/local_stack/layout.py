"""Where everything lies: the tools and jars beside the code, the data of one stack under its run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
JARS = ROOT / ".tools" / "jars"
JARS_LOCK = Path(__file__).resolve().parents[2] / "jars.lock"

PORT_BASE = 8_000
_POSTGRES, _KAFKA = 32, 92
# Linux takes the ports from here on for outgoing connections: one of these would now and then have a server's.
_OUTGOING = 32_768
_FIRST, _LAST = 1_024, _OUTGOING - _KAFKA - 2


@dataclass(frozen=True, slots=True)
class Layout:
    """One stack's folder and ports. Kafka's controller has the port after Kafka's own."""

    run: Path
    port_base: int

    @property
    def postgres_port(self) -> int:
        return self.port_base + _POSTGRES

    @property
    def kafka_port(self) -> int:
        return self.port_base + _KAFKA

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def stack_file(self) -> Path:
        return self.run / "stack.json"

    @property
    def secrets_file(self) -> Path:
        return self.run / "secrets.json"


def layout_of(environment: Mapping[str, str]) -> Layout:
    """Raises ValueError where THROUGHLINE_PORT_BASE is no base of ports."""
    run = Path(environment.get("THROUGHLINE_RUN_DIR") or ".run")
    text = environment.get("THROUGHLINE_PORT_BASE") or str(PORT_BASE)
    if not text.isdigit() or not _FIRST <= int(text) <= _LAST:
        raise ValueError(
            f"THROUGHLINE_PORT_BASE is {text!r}; it must be a number from {_FIRST} to {_LAST}: a stack "
            f"takes ports up to the base + {_KAFKA + 1}, and those from {_OUTGOING} on belong to outgoing connections"
        )
    return Layout(run=(ROOT / run).absolute(), port_base=int(text))
