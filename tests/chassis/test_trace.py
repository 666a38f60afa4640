"""Trace context is read where it is sound, ignored where it is not, and always ours from here on."""

import pytest

from chassis import trace

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_sound_traceparent_is_continued_with_a_span_of_our_own() -> None:
    ours = trace.start(GIVEN)
    assert ours.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert ours.span_id != "00f067aa0ba902b7"
    assert trace.current_traceparent() == ours.traceparent
    assert trace.parse(ours.traceparent) == ours


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        GIVEN.upper(),
        GIVEN + "-extra",
        GIVEN[:-1],
        GIVEN + "\n",
    ],
)
def test_a_broken_traceparent_begins_a_new_trace(header: str | None) -> None:
    assert trace.parse(header) is None
    assert trace.start(header).trace_id != "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_later_version_may_have_more_parts() -> None:
    assert trace.parse("01" + GIVEN[2:] + "-more") is not None
