"""Python's garbage collector, told that this service makes many small objects without cycles."""

import gc
from typing import Final

# It runs when so many more objects were made than freed. A batch of the log alone makes a hundred thousand that live as
# long as the batch: with the interpreter's own numbers a quarter of the ingest's time goes into looking through them.
_YOUNG: Final = 500_000
_MIDDLE: Final = 10
_OLD: Final = 10


async def calm() -> None:
    """Leaves what has been loaded alone for ever, and the rest for longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
