"""A fact becomes an event for the store as the catalogue and the codec say."""

from __future__ import annotations

import os
from typing import Any

import pytest
from pydantic_core import from_json

from chassis.facts import event_of
from chassis.ids import new_id
from chassis.sealing import AesSealer
from events.agents import PresenceChanged
from events.base import Fact
from events.catalogue import CATALOGUE
from events.codec import decode, unseal
from events.contacts import OfferClosed, Resolved
from events.samples import SAMPLES

EVENT_ID = new_id()
DECLINED = OfferClosed.model_validate(SAMPLES["OfferClosed"])
SEALER = AesSealer({"c-42": os.urandom(32)})


def said(payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = from_json(payload)
    return found


def test_type_topic_and_version_come_from_the_catalogue() -> None:
    fact = PresenceChanged.model_validate(SAMPLES["PresenceChanged"])
    event = event_of(fact, event_id=EVENT_ID, source="/services/router", key="a-7", occurred_us=5, clock_us=3)
    assert (event.type, event.topic, event.version) == ("PresenceChanged", "agents", 1)
    assert (event.event_id, event.source, event.key) == (EVENT_ID, "/services/router", "a-7")
    assert (event.occurred_us, event.clock_us) == (5, 3)
    assert said(event.payload) == SAMPLES["PresenceChanged"]


def test_what_personal_members_say_is_sealed_under_the_key() -> None:
    event = event_of(DECLINED, event_id=EVENT_ID, source="/s", key="r", occurred_us=1, key_id="c-42", sealer=SEALER)
    assert "note" not in said(event.payload)
    opened = unseal("OfferClosed", decode("OfferClosed", 1, event.payload), EVENT_ID, SEALER)
    assert opened == SAMPLES["OfferClosed"]


def test_under_a_destroyed_key_what_is_personal_is_left_out() -> None:
    event = event_of(DECLINED, event_id=EVENT_ID, source="/s", key="r", occurred_us=1, key_id="c-42", sealer=None)
    assert said(event.payload) == {name: value for name, value in SAMPLES["OfferClosed"].items() if name != "note"}


def test_personal_members_without_any_key_are_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="no key"):
        event_of(DECLINED, event_id=EVENT_ID, source="/s", key="r", occurred_us=1)


def test_what_was_not_set_is_not_stated() -> None:
    event = event_of(Resolved(code="done"), event_id=EVENT_ID, source="/s", key="r", occurred_us=1)
    assert said(event.payload) == {"code": "done"}


def test_a_fact_that_is_not_in_the_catalogue_is_refused() -> None:
    class Rumour(Fact):
        """Nobody's event."""

    assert "Rumour" not in CATALOGUE
    with pytest.raises(KeyError):
        event_of(Rumour(), event_id=EVENT_ID, source="/s", key="r", occurred_us=1)
