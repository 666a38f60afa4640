"""The schemas that hold what is derived from the log: the live one, the one in the making, the one just replaced."""

from typing import Final

LIVE: Final = "projection"
SHADOW: Final = "projection_shadow"
RETIRED: Final = "projection_retired"
