"""The import as a real process over a real socket: killed in the middle, interrupted, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

LINES = 20_000
BATCH_LINES, IN_FLIGHT = 500, 4
DEADLINE_S = 60


class SlowIntake(ThreadingHTTPServer):
    """Takes every line, and holds each answer back until it is let go on."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.taken: dict[str, int] = {}
        self.batches = 0
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def take(self, lines: list[bytes]) -> None:
        """Counts how often each line came in; from the tenth batch on, answers wait."""
        with self.lock:
            for line in lines:
                event_id = json.loads(line)["event_id"]
                self.taken[event_id] = self.taken.get(event_id, 0) + 1
            self.batches += 1
            held = self.batches >= 10
        if held:
            self.reached.set()
            self.go_on.wait(DEADLINE_S)


class _Handler(BaseHTTPRequestHandler):
    server: SlowIntake
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        lines = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        self.server.take(lines)
        rows = [{"line": number, "status": "accepted", "error": None} for number in range(1, len(lines) + 1)]
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object, **__: object) -> None:
        """Says nothing."""


@pytest.fixture
def intake() -> Iterator[SlowIntake]:
    server = SlowIntake()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "calls.ndjson"
    path.write_text("".join(json.dumps({"event_id": f"e-{number}"}) + "\n" for number in range(LINES)))
    return path


def hears_interrupts() -> None:
    """Undoes what a shell does to its background jobs, and so to tests that run in one: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(intake: SlowIntake, file: Path) -> subprocess.Popen[str]:
    """The command as a user runs it."""
    url = f"http://127.0.0.1:{intake.server_address[1]}"
    command = [sys.executable, "-m", "throughline", "--intake", url, "import", str(file)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    return subprocess.Popen(
        command,
        env=environment,
        cwd=file.parent,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interrupts,  # noqa: PLW1509  # nothing but signal() runs between fork and exec
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_an_import_ended_in_the_middle_goes_on_without_what_was_answered(
    intake: SlowIntake, file: Path, number: signal.Signals, code: int
) -> None:
    first = started(intake, file)
    assert intake.reached.wait(DEADLINE_S)
    first.send_signal(number)
    output, _ = first.communicate(timeout=DEADLINE_S)
    assert first.returncode == code
    assert code < 0 or "the same command goes on from there" in output
    intake.go_on.set()
    second = started(intake, file)
    said, _ = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 0
    assert f"{LINES:,} lines" in said
    assert len(intake.taken) == LINES
    assert sum(intake.taken.values()) - LINES <= IN_FLIGHT * BATCH_LINES
    assert not list(file.parent.glob("*.importing*"))


def test_without_the_file_beside_it_everything_is_sent_again(intake: SlowIntake, file: Path) -> None:
    """The control: what saves the second sending is the ledger and nothing else."""
    first = started(intake, file)
    assert intake.reached.wait(DEADLINE_S)
    first.kill()
    first.communicate(timeout=DEADLINE_S)
    file.with_name(file.name + ".importing").unlink()
    intake.go_on.set()
    second = started(intake, file)
    second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 0
    assert sum(intake.taken.values()) - LINES > IN_FLIGHT * BATCH_LINES
