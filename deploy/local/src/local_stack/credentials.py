"""The secrets of one local stack: made once, kept for as long as its data, readable by nobody else."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local_stack.files import replace_file

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The bearer token that may do everything, the key that wraps the customers' keys, and a password per role."""

    token: str
    master_key: str
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> str:
        """What the services are told: the token's sum, not the token."""
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        return json.dumps({digest: {"name": "local-stack", "scopes": ["*"]}})


def credentials(path: Path, roles: Sequence[str]) -> Credentials:
    """Reads them, or makes what is missing. Raises ValueError where the file is there and cannot be understood."""
    known = _read(path) if path.exists() else _made()
    missing = [role for role in (SUPERUSER, *roles) if role not in known.passwords]
    if not missing and path.exists():
        return known
    known.passwords.update({role: secrets.token_urlsafe(24) for role in missing})
    replace_file(path, json.dumps(asdict(known), indent=1), mode=0o600)
    return known


def _made() -> Credentials:
    return Credentials(token=secrets.token_urlsafe(32), master_key=base64.b64encode(secrets.token_bytes(32)).decode())


def _read(path: Path) -> Credentials:
    try:
        return Credentials(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be understood ({error}); the data of this stack need what was in it: "
            "put it back, or begin again with `make clean`"
        ) from error
