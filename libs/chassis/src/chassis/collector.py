"""Python's garbage collector in a service's process: what was loaded at the start is looked through no more."""

import gc
from typing import Final

# It runs when so many more objects were made than freed: by the interpreter's own 700 a handful of records is enough.
_YOUNG: Final = 20_000
_MIDDLE: Final = 10
_OLD: Final = 10


async def calm(young: int = _YOUNG) -> None:
    """Leaves what has been loaded alone for ever, and the rest until there are `young` objects more, or as many as were
    asked for before where that is more."""
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] < young:
        gc.set_threshold(young, _MIDDLE, _OLD)
