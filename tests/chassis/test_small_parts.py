"""Ids, the clock, waiting, sealing and deadlines."""

import asyncio
import time
import uuid

import pytest
from aiokafka.errors import KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids, kafka
from chassis.backoff import Backoff
from chassis.clock import SystemClock
from chassis.kafka import NoAnswer
from chassis.sealing import AesSealer

KEYS = {"c-1": bytes(range(32)), "c-2": bytes(reversed(range(32)))}


def test_ids_are_version_seven_in_lower_case_and_sort_by_time() -> None:
    made = [ids.new_id() for _ in range(1_000)]
    assert made == sorted(made)
    assert {uuid.UUID(text).version for text in made} == {7}
    assert all(text == str(uuid.UUID(text)) for text in made)


def test_a_derived_id_is_the_same_for_the_same_text() -> None:
    space = uuid.UUID(int=1)
    assert ids.derived_id(space, "a") == ids.derived_id(space, "a") != ids.derived_id(space, "b")


def test_the_clock_counts_microseconds() -> None:
    before, now, after = time.time_ns(), SystemClock().now_us(), time.time_ns()
    assert before // 1_000 <= now <= after // 1_000


def test_waits_double_up_to_the_most_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(first_s=1.0, most_s=5.0)
    for span in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert span / 2 <= backoff.next_s() <= span
    backoff.reset()
    assert backoff.next_s() <= 1.0


@given(st.binary(), st.binary())
def test_what_is_sealed_opens_with_its_own_key_and_event_alone(plaintext: bytes, aad: bytes) -> None:
    sealer = AesSealer(KEYS)
    nonce, box = sealer.seal("c-1", plaintext, aad)
    assert sealer.open("c-1", nonce, box, aad) == plaintext
    assert sealer.open("c-2", nonce, box, aad) is None
    assert sealer.open("c-1", nonce, box, aad + b"x") is None
    assert sealer.open("c-1", nonce, box[:-1] + bytes([box[-1] ^ 1]), aad) is None
    assert sealer.open("gone", nonce, box, aad) is None
    assert sealer.open("c-1", b"short", box, aad) is None


def test_no_two_boxes_share_a_nonce() -> None:
    sealer = AesSealer(KEYS)
    assert len({sealer.seal("c-1", b"", b"")[0] for _ in range(1_000)}) == 1_000


def test_sealing_without_the_key_is_a_fault_of_the_program() -> None:
    with pytest.raises(KeyError):
        AesSealer(KEYS).seal("gone", b"", b"")


async def test_a_deadline_ends_what_hangs() -> None:
    hanging = asyncio.get_running_loop().create_future()
    with pytest.raises(NoAnswer, match=r"ask: no answer from Kafka within 0\.01 s"):
        await kafka.deadline(hanging, 0.01, "ask")
    assert hanging.cancelled()


async def test_a_deadline_ends_what_does_not_let_itself_be_cancelled() -> None:
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(NoAnswer):
        await kafka.deadline(stubborn(), 0.01, "ask")
    released.set()


async def test_an_error_of_kafka_means_no_answer_and_any_other_passes() -> None:
    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(NoAnswer, match="KafkaConnectionError"):
        await kafka.deadline(fail(KafkaConnectionError("gone")), 1, "ask")
    with pytest.raises(ZeroDivisionError):
        await kafka.deadline(fail(ZeroDivisionError()), 1, "ask")


async def test_a_client_that_gives_a_call_up_is_no_cancellation_of_the_caller() -> None:
    given_up = asyncio.get_running_loop().create_future()
    given_up.cancel()
    with pytest.raises(NoAnswer, match="gave it up"):
        await kafka.deadline(given_up, 1, "ask")
