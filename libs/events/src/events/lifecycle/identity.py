"""The law that every life must keep: its segments are a partition of the time from its receipt to its last move."""

from itertools import pairwise

from events.lifecycle.life import Life


def residual_us(life: Life) -> int:
    """What the closed segments leave unexplained, in µs: 0 in every right life.

    The first ContactReceived and the last event that moved the state are taken from the events, the lengths from the
    segments' own ends, so that neither can stand in for the other.
    """
    if life.received_us is None or life.moved_us is None:
        return sum([segment.us or 0 for segment in life.segments])
    spent = sum([segment.end_us - segment.start_us for segment in life.segments if segment.end_us is not None])
    return life.moved_us - life.received_us - spent


def faults(life: Life) -> list[str]:
    """Every way in which a life breaks the law; empty for a right one."""
    found = []
    if residual_us(life) != 0:
        found.append(f"the segments miss the elapsed time by {residual_us(life)} µs")
    if sum(life.time_in.values()) != sum([segment.us or 0 for segment in life.segments]):
        found.append("the sums by state are not the sum of the segments")
    for number, (segment, following) in enumerate(pairwise(life.segments), start=1):
        if segment.end_us is None:
            found.append(f"segment {number} is open, yet another follows")
        elif segment.end_us != following.start_us:
            found.append(f"{following.start_us - segment.end_us} µs lie between segments {number} and {number + 1}")
        if segment.us is not None and segment.us < 0:
            found.append(f"segment {number} lasts {segment.us} µs")
    if life.segments and life.segments[-1].end_us is not None:
        found.append("the last segment is closed")
    return found
