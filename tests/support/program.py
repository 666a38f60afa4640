"""`python -m <module> serve` as a process of a test's own, which may be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local_stack.ports import free


class Program:
    """It keeps its port over restarts; what it says is appended to `log`."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        (self.port,) = free(1, log.parent / "ports")
        self.module = module
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        """Starts it, and does not wait until it serves."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self.module, "serve", env=self._environment, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._last().pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def signal(self, number: int) -> None:
        """Any signal; its end is not waited for."""
        self._last().send_signal(number)

    async def end(self, by: int, seconds: float = 15) -> int:
        """The exit code, once it has ended."""
        self.signal(by)
        return await asyncio.wait_for(self._last().wait(), seconds)

    def _last(self) -> asyncio.subprocess.Process:
        assert self._process is not None, f"{self.module} was never started"
        return self._process
