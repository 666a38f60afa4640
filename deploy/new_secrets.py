"""Makes the secrets of a deployment by compose, once, and writes them to deploy/.env, which its owner alone may read.

Only Python's standard library is used: `python3 deploy/new_secrets.py`, on any machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent / ".env"
SERVICES = ("intake", "router", "escalation", "audit", "kb-search")


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit(f"{target} is there already, and the data of that deployment need what is in it; left alone")
    with os.fdopen(descriptor, "w") as file:
        file.write(settings())
    print(f"wrote {target}; THROUGHLINE_TOKEN in it is the bearer token that may do everything")


def settings() -> str:
    """The lines of an environment file. Services are told the token's sum; the token itself is for the callers."""
    token = secrets.token_urlsafe(32)
    known = {hashlib.sha256(token.encode()).hexdigest(): {"name": "first", "scopes": ["*"]}}
    values = {
        "THROUGHLINE_TOKEN": token,
        "THROUGHLINE_TOKENS": f"'{json.dumps(known)}'",
        "THROUGHLINE_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        # Kafka's own form: 16 bytes, URL-safe and unpadded; a dash in front would read as an option.
        "KAFKA_CLUSTER_ID": "T" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22],
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "GRAFANA_PASSWORD": secrets.token_urlsafe(24),
        **{f"{variable(service)}_DATABASE_PASSWORD": secrets.token_urlsafe(24) for service in SERVICES},
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def variable(service: str) -> str:
    """A service's name as part of a variable's: `kb-search` gives `KB_SEARCH`."""
    return service.upper().replace("-", "_")


if __name__ == "__main__":
    main()
