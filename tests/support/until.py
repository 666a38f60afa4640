"""Waiting for something to come true, with a deadline and without sleeping longer than needed."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

_FIRST_S, _MOST_S = 0.002, 0.1


async def until(predicate: Callable[[], bool | Awaitable[bool]], seconds: float = 10, what: str = "") -> None:
    """Asks again until the predicate (plain or async) holds; AssertionError where `seconds` are not enough."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_S
    while not await _holds(predicate):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what or inspect.getsource(predicate).strip()}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _MOST_S)


async def _holds(predicate: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = predicate()
    return await answer if inspect.isawaitable(answer) else answer
