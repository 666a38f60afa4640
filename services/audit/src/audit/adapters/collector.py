"""Python's garbage collector, told that this service makes many small objects without cycles."""

from typing import Final

from chassis import collector

# A batch of the log alone makes a hundred thousand objects that live as long as the batch: with the interpreter's own
# numbers a quarter of the ingest's time goes into looking through them.
_YOUNG: Final = 500_000


async def calm() -> None:
    """As in all services, but for longer."""
    await collector.calm(_YOUNG)
