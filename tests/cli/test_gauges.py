"""Reading Prometheus's text."""

from __future__ import annotations

import math

from throughline.gauges import values

TEXT = """\
# HELP throughline_outbox_rows rows that wait
# TYPE throughline_outbox_rows gauge
throughline_outbox_rows 12.0
throughline_outbox_rows_total 3.0
throughline_consumer_lag_records{consumer="audit",topic="contacts",partition="0"} 1.0
throughline_consumer_lag_records{consumer="audit",topic="a b",partition="1"} 1e+06
throughline_residual_us NaN
"""


def test_a_name_is_matched_whole() -> None:
    assert values(TEXT, "throughline_outbox_rows") == [12.0]


def test_samples_of_all_labels_are_taken() -> None:
    assert values(TEXT, "throughline_consumer_lag_records") == [1.0, 1e6]


def test_what_is_not_there_is_empty() -> None:
    assert values(TEXT, "throughline_parked_records") == []


def test_a_value_that_is_no_number_is_kept_as_such() -> None:
    assert math.isnan(values(TEXT, "throughline_residual_us")[0])
