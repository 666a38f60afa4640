"""Figures of a real bank's call centre: when people call, how long they wait, talk and bear it.

Computed from the Technion's "Anonymous Bank" call log, February 1999: the 20 weekdays (Sunday to Thursday), 30,277
calls without the phantom ones, rounded. Only these figures are kept here, no call of the log. Quantiles are
`(share, seconds)` points of a distribution, to be read by straight lines in between. Patience and the wait on offer
hide one another (who is served does not show his patience, who hangs up not the wait that he was spared), so both are
Kaplan-Meier estimates over the calls that queued; the last point of a patience curve that never came down to zero is
where the estimate ends.
"""

# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

Quantiles = tuple[tuple[float, float], ...]

CALLS_A_WEEKDAY = 1514
CALLS_BY_HOUR = (
    4.8, 1.5, 0.7, 0.2, 0.2, 0.9, 5.0, 40.5, 95.2, 108.5, 125.0, 113.0,
    94.0, 120.4, 115.0, 113.4, 116.1, 94.5, 83.5, 66.7, 58.8, 62.1, 53.2, 40.7,
)
QUEUED_SHARE_BY_HOUR = (
    0.04, 0.0, 0.0, 0.0, 0.0, 0.0, 0.09, 0.44, 0.52, 0.67, 0.76, 0.68,
    0.55, 0.50, 0.60, 0.69, 0.66, 0.54, 0.50, 0.41, 0.42, 0.41, 0.44, 0.42,
)
STAFFED_HOURS = range(7, 24)
PREFERRED_SHARE = 0.28  # calls of customers whom the bank lets go ahead of the others

MENU_SECONDS: Quantiles = (
    (0.0, 2), (0.05, 4), (0.1, 5), (0.25, 6), (0.5, 9), (0.75, 10), (0.9, 14), (0.95, 18), (1.0, 62),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call: its share of all, what leaves in the menu already, and its three distributions in seconds."""

    share: float
    leaves_in_menu: float  # of those who need not queue
    wait: Quantiles
    patience: Quantiles
    service: Quantiles


REGULAR = Kind(
    share=0.647,
    leaves_in_menu=0.125,
    wait=((0.0, 2), (0.05, 7), (0.1, 11), (0.25, 24), (0.5, 54), (0.75, 110), (0.9, 180), (0.95, 228), (1.0, 345)),
    patience=((0.0, 1), (0.05, 16), (0.1, 43), (0.25, 134), (0.5, 439), (0.75, 908), (1.0, 908)),
    service=((0.0, 1), (0.05, 16), (0.1, 37), (0.25, 66), (0.5, 118), (0.75, 225), (0.9, 413), (0.95, 582), (1, 1042)),
)
PROSPECT = Kind(
    share=0.225,
    leaves_in_menu=0.167,
    wait=((0.0, 2), (0.05, 11), (0.1, 20), (0.25, 49), (0.5, 126), (0.75, 229), (0.9, 321), (0.95, 371), (1.0, 549)),
    patience=((0.0, 1), (0.05, 7), (0.1, 14), (0.25, 48), (0.5, 160), (0.75, 397), (0.86, 908), (1.0, 908)),
    service=((0.0, 1), (0.05, 9), (0.1, 17), (0.25, 34), (0.5, 62), (0.75, 124), (0.9, 247), (0.95, 380), (1.0, 738)),
)
SECURITIES = Kind(
    share=0.087,
    leaves_in_menu=0.036,
    wait=((0.0, 3), (0.05, 9), (0.1, 14), (0.25, 31), (0.5, 70), (0.75, 139), (0.9, 223), (0.95, 282), (1.0, 477)),
    patience=((0.0, 1), (0.05, 42), (0.1, 86), (0.25, 240), (0.5, 508), (0.71, 908), (1.0, 908)),
    service=((0.0, 1), (0.05, 4), (0.1, 31), (0.25, 88), (0.5, 180), (0.75, 352), (0.9, 644), (0.95, 864), (1.0, 1450)),
)
RETURNED = Kind(
    share=0.032,
    leaves_in_menu=0.007,
    wait=((0.0, 3), (0.05, 6), (0.1, 10), (0.25, 23), (0.5, 55), (0.75, 111), (0.9, 200), (0.95, 295), (1.0, 417)),
    patience=((0.0, 1), (0.05, 19), (0.1, 46), (0.25, 120), (0.5, 405), (0.62, 908), (1.0, 908)),
    service=((0.0, 1), (0.05, 2), (0.1, 3), (0.25, 8), (0.5, 38), (0.75, 136), (0.9, 323), (0.95, 488), (1.0, 933)),
)
INTERNET = Kind(
    share=0.009,
    leaves_in_menu=0.303,
    wait=((0.0, 2), (0.05, 13), (0.1, 16), (0.25, 54), (0.5, 165), (0.75, 283), (0.9, 424), (0.95, 584), (1.0, 601)),
    patience=((0.0, 1), (0.05, 39), (0.1, 55), (0.25, 124), (0.5, 339), (0.75, 473), (1.0, 908)),
    service=((0.0, 1), (0.05, 5), (0.1, 22), (0.25, 70), (0.5, 161), (0.75, 377), (0.9, 592), (0.95, 838), (1.0, 1908)),
)
KINDS = {
    "accounts": REGULAR,
    "new-customers": PROSPECT,
    "securities": SECURITIES,
    "callbacks": RETURNED,
    "online-banking": INTERNET,
}


def at_share(quantiles: Quantiles, share: float) -> float:
    """The value, in seconds, below which `share` of the distribution lies; `share` in [0, 1]."""
    for (low, from_), (high, to) in pairwise(quantiles):
        if share <= high:
            return from_ + (to - from_) * (share - low) / (high - low)
    return quantiles[-1][1]
