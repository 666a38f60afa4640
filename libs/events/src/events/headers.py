"""CloudEvents 1.0 attributes as Kafka headers, in binary mode, and back: the hot path of relay and consumers."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from events.envelope import Envelope
from events.times import to_text, to_us
from events.upcast import VERSIONS, Versions

Headers: TypeAlias = list[tuple[str, bytes]]

_SPECVERSION: Final = ("ce_specversion", b"1.0")
_CONTENT_TYPE: Final = ("content-type", b"application/json")
_TYPE: Final = re.compile(r"throughline\.([A-Za-z][A-Za-z0-9]*)\.v([1-9][0-9]{0,3})", re.ASCII)
_MOST_DIGITS: Final = 18  # of a sequence: it must fit 64 bits


_new: Final = tuple.__new__


class Unreadable(ValueError):
    """A record that does not say what an event must say; the text tells why."""


def headers_of(envelope: Envelope) -> Headers:
    """The headers of an event. Trace context goes as plain headers, as W3C has it, and is no CloudEvents attribute."""
    key = envelope.partition_key.encode()
    subject = key if envelope.subject == envelope.partition_key else envelope.subject.encode()
    headers = [
        _SPECVERSION,
        _CONTENT_TYPE,
        ("ce_id", envelope.event_id.encode()),
        ("ce_source", _encoded(envelope.source)),
        ("ce_type", _type_sent(envelope.type, envelope.version)),
        ("ce_subject", subject),
        ("ce_time", to_text(envelope.occurred_us).encode()),
        ("ce_partitionkey", key),
    ]
    if envelope.sequence is not None:
        headers.append(("ce_sequence", b"%d" % envelope.sequence))
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", envelope.causation_id.encode()))
    if envelope.correlation_id is not None:
        headers.append(("ce_correlationid", envelope.correlation_id.encode()))
    if envelope.clock_us is not None:
        headers.append(("ce_clock", to_text(envelope.clock_us).encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    if envelope.tracestate is not None:
        headers.append(("tracestate", envelope.tracestate.encode()))
    return headers


def read_headers(headers: Sequence[tuple[str, bytes | None]], versions: Versions = VERSIONS) -> Envelope:
    """The envelope that these headers say.

    Unknown headers are passed over, and of a repeated one the last counts. The type is its bare name where it is one of
    ours in a version that is known; a foreign type, and a future version of ours, stands as it was sent. Raises
    Unreadable.
    """
    found = _by_name(headers)
    try:
        if found["ce_specversion"] != b"1.0":
            raise Unreadable("it is no CloudEvent of version 1.0")
        name, version = _type_read(found["ce_type"], versions)
        subject = found["ce_subject"].decode()
        key = found.get("ce_partitionkey")
        causation_id = found.get("ce_causationid")
        correlation_id = found.get("ce_correlationid")
        clock = found.get("ce_clock")
        # By place, and past the constructor of a class with names: these cost a tenth of all this.
        return _new(
            Envelope,
            (
                _name(found["ce_id"].decode(), "ce_id"),
                name,
                version,
                _source_read(found["ce_source"]),
                _name(subject, "ce_subject"),
                to_us(found["ce_time"].decode()),
                _name(key.decode(), "ce_partitionkey") if key else subject,
                _sequence(found.get("ce_sequence")),
                _name(causation_id.decode(), "ce_causationid") if causation_id else None,
                _name(correlation_id.decode(), "ce_correlationid") if correlation_id else None,
                to_us(clock.decode()) if clock else None,
                _trace(found.get("traceparent")),
                _trace(found.get("tracestate")),
            ),
        )
    except Unreadable:
        raise
    except KeyError as error:
        raise Unreadable(f"it has no {error.args[0]}: it is no CloudEvent in binary mode") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"a header is not UTF-8: {error.object!r}") from error
    except ValueError as error:
        raise Unreadable(f"a time {error}") from error


def name_bytes(name: str) -> bytes:
    """A header's name as it lies in the log. Of one that is not UTF-8 each odd byte stands as a lone surrogate."""
    return name.encode("utf-8", "surrogateescape")


def name_text(name: bytes) -> str:
    """The inverse of `name_bytes`."""
    return name.decode("utf-8", "surrogateescape")


def _by_name(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """The last of each name; a header without a value is none."""
    found: dict[str, Any] = dict(headers)
    return found if all(found.values()) else {name: value for name, value in headers if value is not None}


def _name(text: str, header: str) -> str:
    # A NUL cannot be kept by every store that the text goes into.
    if not text or "\0" in text:
        raise Unreadable(f"its {header} is empty or holds NUL")
    return text


def _sequence(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise Unreadable("its ce_sequence is no number")
    return int(value)


def _trace(value: bytes | None) -> str | None:
    """Broken trace context never makes an event unreadable: W3C has it ignored."""
    return value.decode() if value and value.isascii() and b"\0" not in value else None


@lru_cache(maxsize=256)
def _encoded(text: str) -> bytes:
    return text.encode()


@lru_cache(maxsize=256)
def _source_read(value: bytes) -> str:
    return _name(value.decode(), "ce_source")


@lru_cache(maxsize=256)
def _type_sent(name: str, version: int) -> bytes:
    """A name without a dot is ours; one with a dot stands as it was read."""
    return (name if "." in name else f"throughline.{name}.v{version}").encode()


def _type_read(value: bytes, versions: Versions) -> tuple[str, int]:
    name, version, sent = _type_parts(value)
    if sent in versions.newest:
        raise Unreadable("its ce_type is a bare name of ours: a stranger could be taken for one of us")
    # A name that is known to nobody here is still told bare; a known one in a future version is not guessed at.
    if name not in versions.newest or versions.know(name, version):
        return name, version
    return sent, version


@lru_cache(maxsize=256)
def _type_parts(value: bytes) -> tuple[str, int, str]:
    sent = _name(value.decode(), "ce_type")
    matched = _TYPE.fullmatch(sent)
    return (matched[1], int(matched[2]), sent) if matched else (sent, 1, sent)
