"""What any event may hold, for property tests: JSON values, texts, envelopes, data of every type."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from events.base import MAX_DEPTH
from events.envelope import Envelope
from events.samples import SAMPLES
from events.times import MAX_US

law = settings(deadline=None)  # a busy machine breaks no law

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
times_us = st.integers(0, MAX_US)
uuids = st.uuids().map(str)

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
json_objects = st.dictionaries(texts, json_values, max_size=5)

envelopes = st.builds(
    Envelope,
    event_id=uuids,
    type=st.sampled_from(list(SAMPLES)),
    version=st.just(1),
    source=st.sampled_from(["/services/router", "/services/intake", "/imports"]),
    subject=names,
    occurred_us=times_us,
    partition_key=names,
    sequence=st.none() | st.integers(0, 10**18 - 1),
    causation_id=st.none() | uuids,
    correlation_id=st.none() | uuids,
    clock_us=st.none() | times_us,
    traceparent=st.none() | st.just("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    tracestate=st.none() | st.just("vendor=1"),
)


@st.composite
def stated(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A type and data for it: its sample less some of its members, with some of them null or odd."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    data = {key: value for key, value in SAMPLES[name].items() if draw(st.booleans())}
    if name in ("ContactReceived", "MessageReceived"):
        odd = {"attributes": json_objects | st.none(), "body": texts | st.none(), "customer": json_objects | st.none()}
        data |= draw(st.fixed_dictionaries({}, optional=odd))
    return name, data


def nested(depth: int) -> dict[str, Any]:
    """An object of so many levels, itself counted."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


DEEPEST = nested(MAX_DEPTH)
TOO_DEEP = nested(MAX_DEPTH + 1)
