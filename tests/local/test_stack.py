"""A stack comes up whole from whatever state it was left in, and goes down to nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable

import asyncpg
import pytest

from local_stack.errors import Failed
from local_stack.postgres import execute, on_a_loop_of_its_own
from local_stack.processes import end
from tests.local.stacks import PARTS, WELL, Running
from tests.support.small_service import MIGRATED

# Less than the patience with one that may be starting still.
AT_ONCE_S = 35


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_a_second_up_changes_nothing(stack: Running) -> None:
    before = stack.facts()
    stack.up()
    assert stack.facts() == before
    assert stack.states() == WELL


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_started_again_and_the_others_are_left_alone(stack: Running, part: str) -> None:
    before = stack.pids()
    stack.send(part, signal.SIGKILL)
    stack.up()
    after = stack.pids()
    assert stack.states() == WELL
    assert {name for name in PARTS if after[name] != before[name]} == {part}


@pytest.mark.parametrize("part", PARTS)
def test_a_frozen_part_is_replaced(stack: Running, part: str) -> None:
    before = stack.pids()
    stack.send(part, signal.SIGSTOP)
    assert stack.states()[part] == "frozen"
    began = time.monotonic()
    stack.up()
    assert time.monotonic() - began < AT_ONCE_S
    after = stack.pids()
    assert stack.states() == WELL
    assert {name for name in PARTS if after[name] != before[name]} == {part}


def test_everything_killed_at_once_comes_back_with_data_ports_and_token(stack: Running) -> None:
    before = stack.facts()
    execute(before["postgres"]["intake"], ["CREATE TABLE kept AS SELECT 42 AS answer"])
    end(stack.everything(), by=signal.SIGKILL)
    stack.up()
    after = stack.facts()
    assert on_a_loop_of_its_own(fetch(after["postgres"]["intake"], "SELECT answer FROM kept")) == 42
    assert {**after, "pids": {}} == {**before, "pids": {}}


def test_down_leaves_no_process_and_keeps_what_up_needs(stack: Running) -> None:
    before, everything = stack.facts(), stack.everything()
    stack.send("kafka", signal.SIGSTOP)
    stack.send("audit", signal.SIGSTOP)
    stack.send("postgres", signal.SIGSTOP)
    assert stack.down()
    assert not [process for process in everything if process.is_alive()]
    assert not stack.layout.stack_file.exists()
    assert not stack.down()
    stack.up()
    assert {**stack.facts(), "pids": {}} == {**before, "pids": {}}


def test_nothing_is_started_again_without_being_asked(stack: Running) -> None:
    stack.send("intake", signal.SIGKILL)
    stack.send("kafka", signal.SIGKILL)
    assert stack.states()["audit"] == "degraded"
    assert {name for name, state in stack.states().items() if state == "not running"} == {"intake", "kafka"}


def test_clean_removes_the_run_folder(stack: Running) -> None:
    everything = stack.everything()
    stack.stack.clean(lambda _part, _at: None)
    assert not stack.layout.run.exists()
    assert not [process for process in everything if process.is_alive()]


def test_clean_leaves_a_folder_alone_that_is_no_stacks(make_stack: Callable[[str], Running]) -> None:
    other = make_stack("documents")
    other.layout.run.mkdir(parents=True)
    (other.layout.run / "letter.txt").write_text("dear all")
    with pytest.raises(Failed, match="does not look like"):
        other.stack.clean(lambda _part, _at: None)
    assert (other.layout.run / "letter.txt").exists()


def test_a_removed_run_folder_does_not_hide_what_runs_from_it(stack: Running) -> None:
    everything = stack.everything()
    stack.layout.run.rename(stack.layout.run.with_name("elsewhere"))
    stack.up()
    assert not [process for process in everything if process.is_alive()]
    assert stack.states() == WELL


@pytest.mark.parametrize(("port", "purpose"), [(1, "intake"), (32, "PostgreSQL"), (92, "Kafka"), (93, "controller")])
def test_a_taken_port_is_named_with_its_holder(
    make_stack: Callable[[str], Running], listener: Callable[[int], None], port: int, purpose: str
) -> None:
    stack = make_stack("run")
    taken = stack.layout.port_base + port
    listener(taken)
    with pytest.raises(
        Failed, match=rf"port {taken}, wanted for .*{purpose}.*process {os.getpid()} \(.*python"
    ) as told:
        stack.up()
    assert "THROUGHLINE_PORT_BASE" in str(told.value)


def test_two_stacks_run_side_by_side(make_stack: Callable[[str], Running]) -> None:
    one, other = make_stack("one"), make_stack("other")
    one.up()
    other.up()
    assert one.facts()["token"] != other.facts()["token"]
    assert not set(one.pids().values()) & set(other.pids().values())
    one.down()
    assert other.states() == WELL


def test_two_ups_at_once_start_everything_once(make_stack: Callable[[str], Running]) -> None:
    stack = make_stack("run")
    both = [threading.Thread(target=stack.up) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert stack.states() == WELL
    assert {process.pid for process in stack.everything() if process.pid in stack.pids().values()} == set(
        stack.pids().values()
    )


def test_a_stale_postmaster_pid_of_a_living_stranger_does_no_harm(stack: Running) -> None:
    stale = stack.layout.run / "postgres/data/postmaster.pid"
    lines = stale.read_text().splitlines()
    stack.send("postgres", signal.SIGKILL)
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        stale.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        try:
            stack.up()
            assert stack.states() == WELL
        finally:
            stranger.kill()


def test_a_backend_that_outlives_its_postmaster_does_not_keep_the_next_from_starting(stack: Running) -> None:
    backend = on_a_loop_of_its_own(left_frozen(stack.facts()["postgres"]["intake"]))
    stack.send("postgres", signal.SIGKILL)
    stack.up()
    assert stack.states() == WELL
    assert backend not in [process.pid for process in stack.everything()]


def test_a_database_is_migrated_once_and_again_when_it_is_new(make_stack: Callable[[str], Running]) -> None:
    stack = make_stack("run")
    stack.up()
    stack.send("intake", signal.SIGKILL)
    stack.up()
    assert stack.log("intake").count(MIGRATED) == 1
    stack.down()
    shutil.rmtree(stack.layout.run / "postgres")
    stack.up()
    assert stack.log("intake").count(MIGRATED) == 2


def test_what_a_killed_postgres_leaves_behind_goes_down_too(stack: Running) -> None:
    on_a_loop_of_its_own(left_frozen(stack.facts()["postgres"]["intake"]))
    everything = stack.everything()
    stack.send("postgres", signal.SIGKILL)
    stack.down()
    assert not [process for process in everything if process.is_alive()]


def test_a_frozen_backend_does_not_spoil_a_clean_shutdown(stack: Running) -> None:
    on_a_loop_of_its_own(left_frozen(stack.facts()["postgres"]["intake"]))
    before = len(stack.log("postgres"))
    stack.down()
    assert "database system is shut down" in stack.log("postgres")[before:]


async def left_frozen(url: str) -> int:
    """The pid of a backend that cannot notice anything, as one that is busy would not."""
    connection = await asyncpg.connect(url)
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    assert isinstance(pid, int)
    return await asyncio.to_thread(_freeze, connection, pid)


def _freeze(connection: asyncpg.Connection, pid: int) -> int:
    os.kill(pid, signal.SIGSTOP)
    connection.terminate()
    return pid


def test_secrets_and_facts_are_for_the_owner_alone(stack: Running) -> None:
    for path in (stack.layout.secrets_file, stack.layout.stack_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_readers_never_see_half_a_stack_file(stack: Running) -> None:
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(len(stack.facts()["pids"]))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        stack.up()
    done.set()
    reader.join()
    assert set(seen) == {len(PARTS)}


def test_each_service_may_enter_its_own_database_only(stack: Running) -> None:
    urls = stack.facts()["postgres"]
    foreign = urls["intake"].rpartition("/")[0] + "/audit"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        on_a_loop_of_its_own(fetch(foreign, "SELECT 1"))


def test_a_frozen_stranger_on_the_port_is_not_taken_for_the_part(
    make_stack: Callable[[str], Running], listener: Callable[[int], None]
) -> None:
    stack = make_stack("run")
    listener(stack.layout.kafka_port)
    with socket.create_connection(("127.0.0.1", stack.layout.kafka_port)), pytest.raises(Failed):
        stack.up()
    assert "kafka" not in stack.pids()


def test_a_log_says_what_went_wrong(make_stack: Callable[[str], Running]) -> None:
    stack = make_stack("run")
    broken = stack.layout.run / "kafka/data"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a folder")
    with pytest.raises(Failed, match="not possible to format Kafka's storage"):
        stack.up()
