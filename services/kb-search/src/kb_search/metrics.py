"""Kb-search's own metrics."""

from typing import Final

from chassis.metrics import Kind, Metric

ARTICLES: Final = Metric("throughline_kb_articles", Kind.GAUGE, "articles", "Articles that this process can find")
SEARCH_SECONDS: Final = Metric(
    "throughline_kb_search_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "From the words asked to the ranked articles, for searches and look-ups alike",
    (),
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
LOOKUPS_TOTAL: Final = Metric(
    "throughline_kb_lookups_total",
    Kind.COUNTER,
    "lookups",
    "Look-ups for live requests: shown (a new list), same (as before), nothing (fits), silent (no words), failed",
    ("outcome",),
)
SUGGESTION_DELAY: Final = Metric(
    "throughline_kb_suggestion_delay_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "From a contact or message being taken up here to its suggestions being committed",
    (),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0),
)
LOOKUPS_LATE: Final = Metric(
    "throughline_kb_lookups_late_total",
    Kind.COUNTER,
    "lookups",
    "Look-ups put off because the customer's key had not come yet",
)

CATALOGUE: Final = (ARTICLES, SEARCH_SECONDS, LOOKUPS_TOTAL, SUGGESTION_DELAY, LOOKUPS_LATE)
