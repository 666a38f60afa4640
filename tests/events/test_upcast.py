"""An event of an older version is read as one of the newest; the versions here are made up for that purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.catalogue import CATALOGUE
from events.codec import Unreadable, decode, encode_data, read_headers, unseal
from events.examples import GlassBox
from events.samples import SAMPLES
from events.upcast import STEPS, VERSIONS, Step, Versions

EVENT_ID = "019aa9f2-7c51-7d04-9a3e-000000000001"


def with_scale(members: dict[str, Any]) -> dict[str, Any]:
    """Version 2: a score says on which scale it stands."""
    return members | {"scale": 5}


def renamed(members: dict[str, Any]) -> dict[str, Any]:
    """Version 2: `text` is called `comment`; it may be absent."""
    return {"comment" if name == "text" else name: value for name, value in members.items()}


def in_percent(members: dict[str, Any]) -> dict[str, Any]:
    """Version 3: the score is a percentage."""
    return {"percent": members["score"] * 100 // members["scale"]}


LATER = Versions(
    newest={**VERSIONS.newest, "FeedbackReceived": 3},
    steps={
        ("FeedbackReceived", 1): Step(public=with_scale, personal=renamed),
        ("FeedbackReceived", 2): Step(public=in_percent),
    },
)


def written(data: dict[str, Any]) -> bytes:
    return encode_data("FeedbackReceived", data, event_id=EVENT_ID, key_id="c-42", sealer=GlassBox())


def test_an_old_event_takes_every_step_to_the_newest_version() -> None:
    assert decode("FeedbackReceived", 1, b'{"score":4}', LATER) == {"percent": 80}
    assert decode("FeedbackReceived", 2, b'{"score":4,"scale":10}', LATER) == {"percent": 40}
    assert decode("FeedbackReceived", 3, b'{"percent":7}', LATER) == {"percent": 7}


def test_sealed_members_are_changed_when_they_are_opened() -> None:
    data = decode("FeedbackReceived", 1, written({"score": 4, "text": "fine"}), LATER)
    assert data.keys() == {"percent", "sealed"}
    assert unseal("FeedbackReceived", data, EVENT_ID, GlassBox(), LATER) == {"percent": 80, "comment": "fine"}


def test_sealed_members_of_the_newest_version_stay_as_they_are() -> None:
    data = decode("FeedbackReceived", 3, written({"percent": 4, "text": "as it was said"}), LATER)
    assert unseal("FeedbackReceived", data, EVENT_ID, GlassBox(), LATER) == {"percent": 4, "text": "as it was said"}


def test_a_future_version_is_not_guessed_at() -> None:
    """It comes out of the headers under the name as sent, for which nobody has a handler, and is read as it stands."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", EVENT_ID.encode()),
        ("ce_source", b"/services/intake"),
        ("ce_type", b"throughline.FeedbackReceived.v4"),
        ("ce_subject", b"r-1"),
        ("ce_time", b"2026-11-22T09:15:00Z"),
    ]
    envelope = read_headers(headers, LATER)
    assert (envelope.type, envelope.version) == ("throughline.FeedbackReceived.v4", 4)
    assert decode(envelope.type, envelope.version, b'{"stars":"****"}', LATER) == {"stars": "****"}
    with pytest.raises(Unreadable, match="version 4 of FeedbackReceived"):
        decode("FeedbackReceived", 4, b'{"stars":"****"}', LATER)


@pytest.mark.parametrize("version", [-1, 0, 4, "1", None])
def test_a_box_of_a_version_that_never_was_is_opened_as_it_is(version: object) -> None:
    sealed = json.loads(written({"text": "fine"}))["sealed"] | {"version": version}
    assert unseal("FeedbackReceived", {"sealed": sealed}, EVENT_ID, GlassBox(), LATER) == {"text": "fine"}
    assert not LATER.know("FeedbackReceived", 0)


def test_todays_reader_does_not_read_a_version_of_tomorrow_under_its_name() -> None:
    with pytest.raises(Unreadable, match="version 2 of Routed"):
        decode("Routed", 2, b"{}")


@pytest.mark.parametrize(
    ("newest", "steps"),
    [
        ({"Routed": 2}, {}),
        ({"Routed": 3}, {("Routed", 1): Step()}),
        ({"Routed": 1}, {("Routed", 1): Step()}),
        ({"Routed": 2}, {("Routed", 1): Step(), ("Teleported", 1): Step()}),
    ],
)
def test_a_version_without_a_step_to_the_next_is_refused(newest: dict[str, int], steps: dict[Any, Step]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Versions(newest, steps)


def test_the_steps_fit_the_catalogue() -> None:
    assert VERSIONS.steps is STEPS
    assert VERSIONS.newest == {name: kind.version for name, kind in CATALOGUE.items()}


def test_a_step_changes_no_more_than_it_was_given() -> None:
    sealed = {"key_id": "c-42", "nonce": "AAAA", "box": "AAAA"}
    payload = b'{"score":4,"sealed":{"key_id":"c-42","nonce":"AAAA","box":"AAAA"}}'
    assert decode("FeedbackReceived", 1, payload, LATER)["sealed"] == sealed | {"version": 1}
    assert decode("FeedbackReceived", 1, payload)["sealed"] == sealed
    assert SAMPLES["FeedbackReceived"]["score"] == 5
