"""Starts relays as processes, for tests that kill and freeze them."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.settings import ServiceSettings
from tests.support.chassis import environment_of

ROOT = Path(__file__).resolve().parents[3]


class RelayProcess:
    """One relay; what it logs is read as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    def is_frozen(self) -> bool:
        """Whether it is stopped by a signal: the state in /proc, behind the name in brackets (proc(5))."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def logged(self, event: str) -> bool:
        return any(event in line for line in self.lines)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self, seconds: float = 30) -> int:
        """Its return code; negative for the signal that killed it."""
        async with asyncio.timeout(seconds):
            await self._reading
            return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode())


@asynccontextmanager
async def relay(
    settings: ServiceSettings, *, strike: signal.Signals | None = None, naive: bool = False
) -> AsyncIterator[RelayProcess]:
    """A relay over the settings' database and broker; killed at the end of the block where it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.chassis.relay_process",
        cwd=ROOT,
        env=_environment(settings, strike, naive),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = RelayProcess(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            running.signal(signal.SIGKILL)
        await running.ended()


def _environment(settings: ServiceSettings, strike: signal.Signals | None, naive: bool) -> dict[str, str]:
    given = environment_of(settings) | {"PYTHONUNBUFFERED": "1"}
    if strike is not None:
        given["STRIKE"] = str(int(strike))
    if naive:
        given["NAIVE"] = "1"
    return given
