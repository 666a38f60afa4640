"""Our own services as parts of a stack: which there are, what each is told, and when it counts as ready."""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_stack import ports
from local_stack.deadline import Deadline
from local_stack.errors import Failed
from local_stack.files import replace_file
from local_stack.processes import Process, end, marked, recall, remember, spawn
from local_stack.server import complete, end_of

ALIVE, READY = "/healthz", "/readyz"
_PROBE_S = 3.0


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the table below: its name to users, its import package, its port above the stack's base."""

    name: str
    package: str
    port: int

    def told(self, port_base: int, *, kafka: str, database: str, master_key: str, tokens: str) -> dict[str, str]:
        """The variables that it is given; what it is not told stays at its default."""
        return {
            "DATABASE_URL": database,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "THROUGHLINE_MASTER_KEY": master_key,
            "THROUGHLINE_TOKENS": tokens,
            "THROUGHLINE_PORT": str(port_base + self.port),
        }

    def command(self, verb: str) -> list[str]:
        """What follows the interpreter: `-m <package> serve`, or another of its verbs."""
        return ["-m", self.package, verb]


SERVICES = (
    Service("intake", "intake", 1),
    Service("router", "router", 2),
    Service("escalation", "escalation", 3),
    Service("audit", "audit", 4),
    Service("kb-search", "kb_search", 5),
)


class ServiceServer:
    """One service of one stack, served by one process."""

    patience_s = 40.0

    def __init__(
        self, service: Service, run: Path, port_base: int, told: Mapping[str, str], migrated: Path | None = None
    ) -> None:
        """`told` is its part of the environment, `migrated` a file that lives and dies with its database."""
        self.name = service.name
        self.port = port_base + service.port
        self.log = run / "logs" / f"{service.name}.log"
        self._service = service
        self._folder = run / "services" / service.name
        self._environment = {**os.environ, **told, "PYTHONUNBUFFERED": "1"}
        self._told = _sum(told)
        self._migrated = migrated

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def process(self) -> Process | None:
        return recall(self._folder / "process.json")

    def answers(self) -> bool:
        return self._get(ALIVE)[0] == http.HTTPStatus.OK

    def is_outdated(self) -> bool:
        """Whether it was started with other settings than it would be now."""
        try:
            return (self._folder / "told").read_text() != self._told
        except OSError:
            return True

    def migrate(self, deadline: Deadline) -> None:
        """Brings its database to the newest schema, unless these very migrations have been run on it. Raises Failed."""
        wanted = _migrations(self._service.package)
        if self._migrated is not None and self._migrated.exists() and self._migrated.read_text() == wanted:
            return
        command = [sys.executable, *self._service.command("migrate")]
        # It works in one transaction: what is broken off leaves everything as it was.
        complete(command, f"migrate {self.name}'s database", deadline, log=self.log, environment=self._environment)
        if self._migrated is not None:
            replace_file(self._migrated, wanted)

    def launch(self) -> Process:
        """Raises Failed."""
        ports.claim(self.port, self.name)
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, *self._service.command("serve")]
        process = spawn(command, mark=self._folder, log=self.log, environment=self._environment)
        remember(self._folder / "process.json", process)
        replace_file(self._folder / "told", self._told)
        return process

    def remains(self) -> list[Process]:
        return marked(self._folder)

    def stop(self) -> None:
        end(self.remains(), patience_s=10.0)

    def await_ready(self, deadline: Deadline) -> None:
        """Waits until /readyz says "ready". Raises Failed with the checks that are not well."""
        report: dict[str, Any] = {}

        def ready() -> bool:
            status, body = self._get(READY)
            report.update(body)
            return status == http.HTTPStatus.OK and body.get("status") == "ready"

        if not deadline.wait(lambda: ready() or self.process() is None, every_s=0.1):
            raise Failed(f"{self.name} answers and does not become ready: {_unwell(report)}")
        if self.process() is None:
            raise Failed(f"{self.name} ended before it was ready; {end_of(self.log)}")

    def readiness(self) -> str:
        """What /readyz says in one word."""
        return str(self._get(READY)[1].get("status", "no answer"))

    def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON object; 0 where there is no answer, or none that is HTTP."""
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=_PROBE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()
        return answer.status, body if isinstance(body, dict) else {}


def _migrations(package: str) -> str:
    """The sum of a package's migrations; the package is not imported, which takes a second."""
    found = importlib.util.find_spec(package)
    folder = Path(found.origin).parent / "migrations" if found and found.origin else None
    scripts = sorted(folder.rglob("*.py")) if folder else []
    return _sum({str(each.relative_to(folder or each)): each.read_text() for each in scripts})


def _unwell(report: Mapping[str, Any]) -> str:
    checks: Mapping[str, Any] = report.get("checks", {})
    unwell = {name: check for name, check in checks.items() if not _is_well(check)}
    return json.dumps(unwell or dict(report)) if report else "/readyz gives no answer"


def _is_well(check: Any) -> bool:
    return (check.get("status") if isinstance(check, dict) else check) == "ok"


def _sum(told: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(told.items())).encode()).hexdigest()
