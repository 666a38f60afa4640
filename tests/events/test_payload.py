"""Payloads: what was said comes back as it was said, personal members only with the key."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from pydantic_core import to_json

from chassis.sealing import AesSealer
from events.catalogue import CATALOGUE
from events.codec import Unreadable, decode, encode, encode_data, unseal, without_personal
from events.contacts import FeedbackReceived, Paused
from events.examples import GlassBox
from events.samples import CUSTOMER_ID, SAMPLES
from tests.events.strategies import json_objects, law, stated

EVENT_ID = "019aa9f2-7c51-7d04-9a3e-000000000001"
AES = AesSealer({CUSTOMER_ID: bytes(32)})
NO_KEYS = AesSealer({})
SECRET = "said in confidence"


def sent(name: str, data: dict[str, Any], sealer: AesSealer | GlassBox = AES) -> bytes:
    return encode_data(name, data, event_id=EVENT_ID, key_id=CUSTOMER_ID, sealer=sealer)


def same_json(one: Any, other: Any) -> bool:
    """Equal as JSON values: 1, 1.0 and true are three."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@law
@given(stated())
def test_every_type_comes_back_as_it_was_said(said: tuple[str, dict[str, Any]]) -> None:
    name, data = said
    payload = sent(name, data)
    assert same_json(unseal(name, decode(name, 1, payload), EVENT_ID, AES), data)


@law
@given(json_objects)
def test_any_raw_object_comes_back_as_it_was_sent(attributes: dict[str, Any]) -> None:
    data = {"channel": "web", "customer": {"id": "c"}, "queue": None, "attributes": attributes, "body": None}
    opened = unseal("ContactReceived", decode("ContactReceived", 1, sent("ContactReceived", data)), EVENT_ID, AES)
    assert same_json(opened, data)


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 10**40, 1.0, 0.1, 1e-300, 1.7976931348623157e308, -0.0, 1e22])
def test_numbers_are_exact(number: float) -> None:
    data = {"attributes": {"n": number}}
    assert same_json(unseal("x", decode("x", 1, sent("ContactReceived", data)), EVENT_ID, AES), data)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_model_is_written_as_its_data_are(name: str) -> None:
    fact = CATALOGUE[name].model.model_validate(SAMPLES[name])
    payload = encode(fact, event_id=EVENT_ID, key_id=CUSTOMER_ID, sealer=GlassBox())
    assert unseal(name, decode(name, 1, payload), EVENT_ID, GlassBox()) == SAMPLES[name]


def test_what_was_not_set_is_not_written_and_a_null_that_was_is() -> None:
    assert json.loads(encode(Paused(reason="hold"), event_id=EVENT_ID)) == {"reason": "hold"}
    assert json.loads(encode(Paused(reason="hold", leg=None), event_id=EVENT_ID)) == {"reason": "hold", "leg": None}


def test_nothing_personal_stands_in_the_payload() -> None:
    payload = sent("FeedbackReceived", {"score": 3, "text": SECRET})
    assert SECRET.encode() not in payload
    assert json.loads(payload).keys() == {"score", "sealed"}
    assert json.loads(payload)["sealed"].keys() == {"key_id", "nonce", "box"}


def test_data_without_personal_members_need_no_key() -> None:
    assert encode_data("FeedbackReceived", {"score": 3}, event_id=EVENT_ID) == b'{"score":3}'


def test_personal_members_without_a_key_are_not_written_open() -> None:
    with pytest.raises(ValueError, match="no key"):
        encode(FeedbackReceived(score=3, text=SECRET), event_id=EVENT_ID)
    with pytest.raises(ValueError, match="no key"):
        encode_data("FeedbackReceived", {"score": 3, "text": SECRET}, event_id=EVENT_ID, key_id="c-42")


def test_without_the_key_the_rest_is_still_there() -> None:
    data = decode("FeedbackReceived", 1, sent("FeedbackReceived", {"score": 3, "text": SECRET}))
    assert unseal("FeedbackReceived", data, EVENT_ID, NO_KEYS) == {"score": 3}
    assert without_personal(data) == {"score": 3}


def test_a_box_opens_in_its_own_event_alone() -> None:
    data = decode("FeedbackReceived", 1, sent("FeedbackReceived", {"score": 3, "text": SECRET}))
    assert unseal("FeedbackReceived", data, EVENT_ID, AES) == {"score": 3, "text": SECRET}
    assert unseal("FeedbackReceived", data, "019aa9f2-7c51-7d04-9a3e-000000000002", AES) == {"score": 3}


@pytest.mark.parametrize(
    "sealed",
    [
        None,
        7,
        [],
        {},
        {"key_id": CUSTOMER_ID},
        {"key_id": 1, "nonce": "", "box": ""},
        {"key_id": CUSTOMER_ID, "nonce": "not base64!", "box": "AAAA"},
        {"key_id": CUSTOMER_ID, "nonce": "AAAA", "box": "ü"},
        {"key_id": CUSTOMER_ID, "nonce": "AAAA", "box": "AAAA"},
        {"key_id": CUSTOMER_ID, "nonce": "AAAAAAAAAAAAAAAA", "box": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_broken_box_opens_to_nothing(sealed: Any) -> None:
    assert unseal("FeedbackReceived", {"score": 3, "sealed": sealed}, EVENT_ID, AES) == {"score": 3}


@pytest.mark.parametrize("inside", [b"[]", b"{", b"\xff"])
def test_a_box_that_holds_no_object_is_unreadable(inside: bytes) -> None:
    nonce, box = GlassBox().seal(CUSTOMER_ID, inside, EVENT_ID.encode())
    text = {"key_id": CUSTOMER_ID, "nonce": b64encode(nonce).decode(), "box": b64encode(box).decode()}
    with pytest.raises(Unreadable, match="box"):
        unseal("FeedbackReceived", {"score": 3, "sealed": text}, EVENT_ID, GlassBox())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"\xff",
        b'{"a":"\\ud800"}',
        b"[" * 5000,
    ],
)
def test_what_is_no_object_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Unreadable, match="payload"):
        decode("Routed", 1, payload)


def test_an_old_reader_survives_new_members() -> None:
    later = to_json(SAMPLES["Routed"] | {"mood": "good", "sealed_too": {"a": [1]}})
    assert decode("Routed", 1, later).items() >= SAMPLES["Routed"].items()


def test_an_unknown_type_is_read_as_it_stands() -> None:
    assert decode("Teleported", 4, b'{"to":"mars"}') == {"to": "mars"}
    assert decode("throughline.Routed.v9", 9, b'{"agent":"a"}') == {"agent": "a"}


def test_an_unknown_type_cannot_be_written() -> None:
    with pytest.raises(KeyError):
        encode_data("Teleported", {}, event_id=EVENT_ID)
