"""Headers: ours, checked against the CloudEvents SDK in both directions, and against what is broken."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given

from events.codec import Headers, Unreadable, headers_of, read_headers
from events.envelope import Envelope
from events.samples import envelope
from events.times import to_text
from tests.events.strategies import envelopes, law

ROUTED = envelope("Routed")


def attributes_of(around: Envelope) -> dict[str, Any]:
    """The CloudEvents attributes that an envelope stands for, as the SDK takes them."""
    said = {
        "id": around.event_id,
        "source": around.source,
        "type": f"throughline.{around.type}.v{around.version}",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": around.subject,
        "time": datetime.fromisoformat(to_text(around.occurred_us)),
        "partitionkey": around.partition_key,
        "sequence": None if around.sequence is None else str(around.sequence),
        "causationid": around.causation_id,
        "correlationid": around.correlation_id,
        "clock": None if around.clock_us is None else to_text(around.clock_us),
    }
    return {name: value for name, value in said.items() if value is not None}


def as_sdk_sees(headers: Headers, key: str) -> BaseCloudEvent:
    return from_binary_event(KafkaMessage(headers=dict(headers), key=key, value=b"{}"))


def with_headers(**changed: bytes | None) -> list[tuple[str, bytes | None]]:
    """Good headers with some of them changed; None takes one away."""
    headers: dict[str, bytes | None] = dict(headers_of(ROUTED))
    headers |= {name.replace("content_type", "content-type"): value for name, value in changed.items()}
    return [(name, value) for name, value in headers.items() if value is not None]


@law
@given(envelopes)
def test_every_envelope_comes_back_from_its_headers(around: Envelope) -> None:
    assert read_headers(headers_of(around)) == around


@law
@given(envelopes)
def test_the_sdk_reads_what_we_write(around: Envelope) -> None:
    seen = as_sdk_sees(headers_of(around), around.partition_key).get_attributes()
    assert seen == attributes_of(around)


@law
@given(envelopes)
def test_we_read_what_the_sdk_writes(around: Envelope) -> None:
    message = to_binary_event(CloudEvent(attributes_of(around), {"a": 1}))
    assert message.key == around.partition_key
    assert json.loads(message.value) == {"a": 1}
    traced = [*message.headers.items()]
    traced += [(name, value.encode()) for name in ("traceparent", "tracestate") if (value := getattr(around, name))]
    assert read_headers(traced) == around


def test_trace_context_is_no_attribute_of_the_event() -> None:
    sent = dict(headers_of(ROUTED))
    assert sent["traceparent"] == b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert "ce_traceparent" not in sent


def test_what_is_not_known_is_not_sent() -> None:
    bare = Envelope("id", "Routed", 1, "/services/router", "r-1", 0, "r-1", None)
    assert [name for name, _ in headers_of(bare)] == [
        "ce_specversion",
        "content-type",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "ce_partitionkey",
    ]


def test_a_name_that_is_not_utf8_does_no_harm() -> None:
    assert read_headers([*headers_of(ROUTED), ("\udcff\udcfe not UTF-8", b"x")]) == ROUTED


@pytest.mark.parametrize(
    "extra", [("ce_mood", b"good"), ("x-other", b"\xff"), ("traceparent", b"\xff"), ("empty", None)]
)
def test_an_unknown_or_broken_extra_does_no_harm(extra: tuple[str, bytes | None]) -> None:
    read = read_headers([*with_headers(traceparent=None), extra])
    assert read.event_id == ROUTED.event_id
    assert read.traceparent is None


def test_the_order_of_headers_says_nothing() -> None:
    assert read_headers(headers_of(ROUTED)[::-1]) == ROUTED


@pytest.mark.parametrize(
    ("sent", "name", "version"),
    [
        (b"throughline.Routed.v1", "Routed", 1),
        (b"throughline.Teleported.v1", "Teleported", 1),
        (b"throughline.Teleported.v7", "Teleported", 7),
        (b"throughline.Routed.v2", "throughline.Routed.v2", 2),
        (b"throughline.Routed.v0", "throughline.Routed.v0", 1),
        (b"throughline.Routed.v01", "throughline.Routed.v01", 1),
        (b"com.example.moved", "com.example.moved", 1),
        (b"moved", "moved", 1),
    ],
)
def test_only_a_known_version_of_ours_bears_its_bare_name(sent: bytes, name: str, version: int) -> None:
    read = read_headers(with_headers(ce_type=sent))
    assert (read.type, read.version) == (name, version)


def test_a_type_is_written_again_as_it_was_read() -> None:
    for sent in (b"com.example.moved", b"throughline.Routed.v2", b"throughline.Teleported.v7"):
        assert dict(headers_of(read_headers(with_headers(ce_type=sent))))["ce_type"] == sent


def test_a_record_without_a_partition_key_is_keyed_by_its_subject() -> None:
    assert read_headers(with_headers(ce_partitionkey=None)).partition_key == ROUTED.subject


def test_a_foreign_event_need_not_have_a_sequence() -> None:
    assert read_headers(with_headers(ce_sequence=None)).sequence is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ce_specversion": None}, "no ce_specversion"),
        ({"ce_specversion": b"0.3"}, "version 1.0"),
        ({"ce_id": None}, "no ce_id"),
        ({"ce_id": b""}, "ce_id is empty"),
        ({"ce_id": b"a\0b"}, "holds NUL"),
        ({"ce_source": None}, "no ce_source"),
        ({"ce_source": b"\xff"}, "not UTF-8"),
        ({"ce_type": None}, "no ce_type"),
        ({"ce_type": b"\xff"}, "not UTF-8"),
        ({"ce_type": b""}, "ce_type is empty"),
        ({"ce_type": b"Routed"}, "bare name"),
        ({"ce_subject": None}, "no ce_subject"),
        ({"ce_subject": b"\xe2\x28"}, "not UTF-8"),
        ({"ce_subject": b"r\0"}, "holds NUL"),
        ({"ce_partitionkey": b"\0"}, "holds NUL"),
        ({"ce_causationid": b"\0"}, "holds NUL"),
        ({"ce_time": None}, "no ce_time"),
        ({"ce_time": b"noon"}, "RFC 3339"),
        ({"ce_time": b"1969-01-01T00:00:00Z"}, "1970"),
        ({"ce_time": b"\xff"}, "not UTF-8"),
        ({"ce_clock": b"noon"}, "RFC 3339"),
        ({"ce_sequence": b"-1"}, "no number"),
        ({"ce_sequence": b"1_0"}, "no number"),
        ({"ce_sequence": b""}, "no number"),
        ({"ce_sequence": b"9" * 19}, "no number"),
        ({"ce_sequence": "٣".encode()}, "no number"),
    ],
)
def test_what_is_no_event_is_unreadable_with_the_reason(changed: dict[str, bytes | None], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_headers(with_headers(**changed))


def test_no_headers_at_all_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="no CloudEvent"):
        read_headers([])
