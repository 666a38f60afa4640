"""The lifecycle of a request: one table of moves, one fold over its events, and every number that follows from them."""

from events.lifecycle.entry import Entry
from events.lifecycle.evolve import UNKNOWN, Standing, evolve
from events.lifecycle.fold import fold
from events.lifecycle.life import Cycle, Leg, Life, Segment
from events.lifecycle.metrics import CYCLE_METRICS, HEADLINES, METRICS, REPORTED, Cohort, CycleMetric, Metric
from events.lifecycle.order import Placed, effective
from events.lifecycle.table import OPENS_CYCLE, OPENS_LEG, ORDER, TRANSITIONS, State
from events.lifecycle.timeline import timeline

__all__ = [
    "CYCLE_METRICS",
    "HEADLINES",
    "METRICS",
    "OPENS_CYCLE",
    "OPENS_LEG",
    "ORDER",
    "REPORTED",
    "TRANSITIONS",
    "UNKNOWN",
    "Cohort",
    "Cycle",
    "CycleMetric",
    "Entry",
    "Leg",
    "Life",
    "Metric",
    "Placed",
    "Segment",
    "Standing",
    "State",
    "effective",
    "evolve",
    "fold",
    "timeline",
]
