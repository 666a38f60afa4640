"""Log lines are JSON objects with their trace, and the access log never waits for the disk at each request."""

import io
import json
import subprocess
import sys

from chassis.logs import AccessLog
from tests.support.until import until


async def test_access_lines_are_gathered_and_written_soon() -> None:
    out = io.BytesIO()
    log = AccessLog("intake", out)
    for n in range(3):
        log.write({"status": 200, "n": n})
    assert out.getvalue() == b""
    await until(lambda: out.getvalue() != b"")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["service"], line["event"], line["n"]) for line in lines] == [
        ("intake", "http_request", n) for n in range(3)
    ]
    assert lines[0]["at"].endswith("Z")


async def test_many_lines_are_written_at_once() -> None:
    out = io.BytesIO()
    log = AccessLog("intake", out)
    for _ in range(500):
        log.write({})
    assert out.getvalue().count(b"\n") == 500


def test_every_line_of_the_process_is_one_object_with_its_trace() -> None:
    program = """
import logging, structlog
from chassis import logs, trace
logs.configure("intake", "INFO")
begun = trace.start("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
structlog.get_logger().info("contact_received", request_id="r-1", odd=object())
structlog.get_logger().debug("not_shown")
logging.getLogger("some.library").warning("%s went wrong", "it")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("request_failed")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["contact_received", "it went wrong", "request_failed"]
    assert {line["trace_id"] for line in lines} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert {line["service"] for line in lines} == {"intake"}
    assert lines[0]["request_id"] == "r-1"
    assert "ZeroDivisionError" in lines[2]["exception"]
