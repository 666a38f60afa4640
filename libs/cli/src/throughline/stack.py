"""Where the services are and with what token they are asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from throughline.trouble import Usage


@dataclass(frozen=True, slots=True)
class Stack:
    """Base URLs by service name, the bearer token, and the run folder where a local stack keeps its files."""

    services: Mapping[str, str]
    token: str | None
    run_dir: Path | None = None

    def url(self, service: str) -> str:
        """The base URL of a service; Usage where none is known."""
        try:
            return self.services[service]
        except KeyError:
            raise Usage(f"no address of {service} is known", f"give --{service} URL, or --stack FILE") from None


def find(
    given: Path | None, overrides: Mapping[str, str | None], environment: Mapping[str, str], *, cwd: Path
) -> Stack:
    """The stack that is meant: explicit URLs first, then the file given, then the run folder's, `.run` by default.

    A file that was named must be there; the default one may be missing where URLs are given. Its token is not sent to
    addresses that did not come with it, unless the file was named too. Raises Usage.
    """
    urls = {name: url.rstrip("/") for name, url in overrides.items() if url}
    run_dir = cwd / environment.get("THROUGHLINE_RUN_DIR", ".run")
    path = given or run_dir / "stack.json"
    facts = _read(path) if given or not urls or path.exists() else {}
    services = {name: url for name, url in facts.items() if isinstance(url, str) and url.startswith("http")}
    token = environment.get("THROUGHLINE_TOKEN") or (facts.get("token") if given or not urls else None)
    return Stack(services | urls, str(token) if token else None, path.parent if facts else None)


def _read(path: Path) -> dict[str, object]:
    try:
        facts = json.loads(path.read_text())
    except FileNotFoundError:
        raise Usage(f"no stack at {path}", "start one with `make up`, or give --intake and --audit") from None
    except (OSError, ValueError) as error:
        raise Usage(f"{path} cannot be read: {error}", "`make up` writes it anew") from error
    if not isinstance(facts, dict):
        raise Usage(f"{path} is no stack file", "`make up` writes it anew")
    return facts
