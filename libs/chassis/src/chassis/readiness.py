"""What `/readyz` says: which part makes no progress, why, and what to do about it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import structlog

_DEADLINE_S: Final = 2.0
_log = structlog.get_logger(__name__)


class Status(StrEnum):
    """How one part does. `down` of a vital part makes the service not ready; of any other it is a degradation."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer: a status, one sentence with the remedy where it is not ok, and figures."""

    status: Status
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


OK: Final = Finding(Status.OK)
Check = Callable[[], Finding | Awaitable[Finding]]


def degraded(detail: str, **facts: Any) -> Finding:
    """Something is late or missing, the main job goes on."""
    return Finding(Status.DEGRADED, detail, facts)


def down(detail: str, **facts: Any) -> Finding:
    """This part does nothing at present."""
    return Finding(Status.DOWN, detail, facts)


class Checks:
    """The registry of a service's checks, asked all at once and each under a deadline of two seconds."""

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Check, bool]] = {}

    def add(self, name: str, check: Check, *, vital: bool = False) -> None:
        """Register `check`; without a `vital` part the service cannot do its main job. A name can be taken once."""
        if name in self._checks:
            raise ValueError(f"check {name} is there already")
        self._checks[name] = (check, vital)

    async def report(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status (200 or 503) and body of `/readyz`."""
        findings = await asyncio.gather(*(_ask(name, check) for name, (check, _) in self._checks.items()))
        ready = all(
            found.status is not Status.DOWN or not vital
            for found, (_, vital) in zip(findings, self._checks.values(), strict=True)
        )
        well = all(found.status is Status.OK for found in findings)
        status = "ready" if well else "degraded" if ready else "unavailable"
        checks = {name: _shown(found) for name, found in zip(self._checks, findings, strict=True)}
        return 200 if ready else 503, {"status": status, "checks": checks}


async def _ask(name: str, check: Check) -> Finding:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            found = check()
            return await found if inspect.isawaitable(found) else found
    except TimeoutError:
        return down(f"gave no answer within {_DEADLINE_S:g} s")
    # A broken check must show in the answer, not take the others' answers away.
    except Exception as error:  # noqa: BLE001
        _log.exception("check_failed", check=name)
        return down(f"the check itself failed: {type(error).__name__}")


def _shown(found: Finding) -> dict[str, Any]:
    return {"status": str(found.status), "detail": found.detail or None, **found.facts}
