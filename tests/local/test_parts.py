"""The small pieces that finding, locking and waiting stand on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from local_stack import ports
from local_stack.deadline import Deadline, wait_until
from local_stack.errors import Busy, Failed, PortTaken
from local_stack.files import locked, replace_file
from local_stack.layout import layout_of
from local_stack.processes import Process, end, look, marked, recall, remember, spawn, working_in
from local_stack.server import complete
from local_stack.services import Service, ServiceServer
from tests.support.small_service import HANGS, MIGRATED

SLEEPS = ["/bin/sleep", "600"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
POLITE = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, lambda *_: exit('bye')); print('here', flush=True); time.sleep(600)",
]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = spawn(SLEEPS, mark=tmp_path, log=tmp_path / "log", environment={}, folder=tmp_path)
    yield process
    end([process], by=signal.SIGKILL)


def test_a_process_is_found_by_its_mark_and_by_its_folder(sleeper: Process, tmp_path: Path) -> None:
    assert marked(tmp_path) == [sleeper]
    assert working_in(tmp_path, "sleep") == [sleeper]
    assert marked(tmp_path.parent) == working_in(tmp_path.parent, "sleep") == [sleeper]
    assert marked(tmp_path / "other") == working_in(tmp_path / "other", "sleep") == []
    assert working_in(tmp_path, "postgres") == []


def test_a_process_has_a_session_of_its_own(sleeper: Process) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_a_remembered_process_is_not_mistaken_for_one_with_its_pid(sleeper: Process, tmp_path: Path) -> None:
    remember(tmp_path / "pid", sleeper)
    assert recall(tmp_path / "pid") == sleeper
    for stranger in (replace(sleeper, started=sleeper.started + 1), replace(sleeper, boot="another")):
        remember(tmp_path / "pid", stranger)
        assert recall(tmp_path / "pid") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_torn_note_of_a_process_is_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert recall(tmp_path / "pid") is None


def test_a_frozen_process_is_ended_gently_all_the_same(tmp_path: Path) -> None:
    polite = spawn(POLITE, mark=tmp_path, log=tmp_path / "log", environment={})
    assert wait_until(lambda: "here" in (tmp_path / "log").read_text(), 10)
    os.kill(polite.pid, signal.SIGSTOP)
    assert wait_until(polite.is_frozen, 5)
    end([polite], patience_s=10)
    assert not polite.is_alive()
    assert "bye" in (tmp_path / "log").read_text()


def test_a_process_that_ignores_the_request_is_ended_by_force(tmp_path: Path) -> None:
    deaf = spawn(DEAF, mark=tmp_path, log=tmp_path / "log", environment={})
    assert wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), 10)
    end([deaf], patience_s=0.3)
    assert not deaf.is_alive()


def test_a_zombie_counts_as_gone() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert look(child.pid) is None
    child.wait()


def test_a_lock_is_for_one_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Busy), locked(tmp_path, patience_s=0.2):
        pass


def test_a_lock_on_a_removed_folder_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    entered = threading.Event()

    def wait_for_it() -> None:
        with locked(folder, patience_s=10):
            assert folder.exists()
            entered.set()

    waiting = threading.Thread(target=wait_for_it)
    with locked(folder):
        waiting.start()
        assert wait_until(lambda: open_on(folder) == 2, 5)
        shutil.rmtree(folder)
    waiting.join()
    assert entered.is_set()


def open_on(folder: Path) -> int:
    """How many descriptors of this process are open on the folder."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += descriptor.readlink() == folder
    return found


def test_a_lock_is_not_inherited_by_what_is_started_under_it(tmp_path: Path) -> None:
    with locked(tmp_path / "run"):
        child = spawn(SLEEPS, mark=tmp_path, log=tmp_path / "log", environment={})
    with locked(tmp_path / "run", patience_s=0.2):
        end([child], by=signal.SIGKILL)


def test_a_file_is_replaced_whole_and_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, "one")
    before = path.open()
    replace_file(path, "two")
    assert (before.read(), path.read_text(), path.stat().st_mode & 0o777) == ("one", "two", 0o600)
    before.close()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_port_is_waited_for_while_its_last_holder_lets_go() -> None:
    taken = socket.create_server((ports.HOST, 0))
    port = taken.getsockname()[1]
    threading.Timer(0.3, taken.close).start()
    ports.claim(port, "a test", patience_s=10)
    assert ports.is_free(port)


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server((ports.HOST, 0)) as taken, pytest.raises(PortTaken, match=f"process {os.getpid()}"):
        ports.claim(taken.getsockname()[1], "a test", patience_s=0)


def test_reserved_ports_are_given_out_once(tmp_path: Path) -> None:
    rows = [ports.free(2, tmp_path) for _ in range(20)]
    given = [port for row in rows for port in row]
    assert len(set(given)) == len(given)
    assert all(second == first + 1 for first, second in rows)


def test_an_expired_deadline_ends_a_wait_in_another_thread() -> None:
    deadline = Deadline(60)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(deadline.wait(lambda: False)))
    waiting.start()
    deadline.expire()
    waiting.join(5)
    assert answers == [False]


def test_no_port_of_the_highest_base_is_one_for_outgoing_connections() -> None:
    highest = layout_of({"THROUGHLINE_PORT_BASE": "32674"})
    assert highest.kafka_port + 1 == 32_767
    with pytest.raises(ValueError, match="from 32768 on belong to outgoing connections"):
        layout_of({"THROUGHLINE_PORT_BASE": "32675"})


def test_an_interrupt_breaks_a_migration_off(tmp_path: Path) -> None:
    row = Service("intake", "tests.support.small_service", 1)
    service = ServiceServer(row, tmp_path, 1_024, {HANGS: "yes"})
    deadline = Deadline(60)
    with ThreadPoolExecutor(1) as thread:
        work = thread.submit(service.migrate, deadline)
        assert wait_until(lambda: service.log.exists() and MIGRATED in service.log.read_text(), 30)
        deadline.expire()
        with pytest.raises(
            Failed, match="no time left to migrate intake's database; nothing is lost: give the same command again"
        ) as told:
            work.result(10)
    assert MIGRATED in str(told.value)


def test_a_program_that_takes_too_long_is_ended_and_what_to_do_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; print('begun', flush=True); signal.alarm(60); signal.pause()"]
    with pytest.raises(Failed, match="no time left to make bread; nothing is lost: give the same command") as told:
        complete(command, "make bread", Deadline(1), log=tmp_path / "oven" / "log", environment=os.environ)
    assert "begun" in str(told.value)
