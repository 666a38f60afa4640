"""A clock that a test sets."""


class SetClock:
    """Stands still until it is moved; µs since 1970."""

    def __init__(self, at_us: int = 1_795_338_900_000_000) -> None:
        self.at_us = at_us

    def now_us(self) -> int:
        return self.at_us

    def move(self, by_us: int) -> None:
        """On or back, as a clock that is set does."""
        self.at_us += by_us
