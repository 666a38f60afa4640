"""The whole product as `make up` starts it, and the command that its users have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.stack import Stack
from tests.e2e.product import Product
from tests.support.servers import Session


@pytest.fixture(scope="session")
def product(session: Session) -> Iterator[Product]:
    """A stack with all services, up, on ports and in a folder of its own."""
    made = Product(Stack(session.layout(), {}))
    made.up()
    yield made
    made.close()


@pytest.fixture
def command(product: Product, tmp_path: Path) -> Command:
    """`throughline …` against that stack."""
    return Command(product, tmp_path)


class Command:
    """Runs the command line as a user does."""

    def __init__(self, product: Product, folder: Path) -> None:
        self._product = product
        self._folder = folder

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        """What it said; it must end well unless it `fails`, and says why on stderr then."""
        stack = str(self._product.layout.stack_file)
        done = subprocess.run(
            [sys.executable, "-m", "throughline", "--stack", stack, *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + (done.stderr if fails else "")

    def written(self, lines: list[dict[str, object]]) -> str:
        """A file with these lines; its path."""
        path = self._folder / "lines.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(path)
