"""The smallest service that a stack can run, by serve and migrate: ready when its own database and Kafka answer."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local_stack import kafka, postgres

MIGRATED = "migrated its database"
HANGS = "SMALL_SERVICE_MIGRATION_HANGS"


class Handler(BaseHTTPRequestHandler):
    """Answers /healthz always, and /readyz by what it finds."""

    def do_GET(self) -> None:
        well = self.path == "/healthz" or self._is_ready()
        self._answer(200, {"status": "ready" if well else "degraded", "checks": {}})

    def _is_ready(self) -> bool:
        return postgres.answers(os.environ["DATABASE_URL"]) and kafka.answers(os.environ["KAFKA_BOOTSTRAP_SERVERS"])

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    if sys.argv[1] == "migrate":
        print(MIGRATED, flush=True)
        if os.environ.get(HANGS):
            signal.alarm(60)
            signal.pause()
    if sys.argv[1] == "serve":
        ThreadingHTTPServer(("127.0.0.1", int(os.environ["THROUGHLINE_PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
