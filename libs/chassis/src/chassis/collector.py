"""Python's garbage collector in a service's process: what was loaded at the start is looked through no more."""

import gc
from typing import Final

# It runs when so many more objects were made than freed: by the interpreter's own 700 a handful of records is enough.
_YOUNG: Final = 20_000
_MIDDLE: Final = 10
_OLD: Final = 10


async def calm() -> None:
    """Leaves what has been loaded alone for ever, and the rest for longer, unless a service has asked for more."""
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] < _YOUNG:
        gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
