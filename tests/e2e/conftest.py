"""The whole product as `make up` starts it, and the command that its users have."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.layout import Layout
from local_stack.ports import is_free
from local_stack.services import SERVICES
from local_stack.stack import Stack
from tests.e2e.product import Product

PORTS = (32, 92, 93, *(service.port for service in SERVICES))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A stack with all services, up, on ports and in a folder of its own."""
    bases = random.sample(range(20_000, 29_900, 100), k=99)
    base = next(base for base in bases if all(is_free(base + port) for port in PORTS))
    made = Product(Stack(Layout(tmp_path_factory.mktemp("product") / "run", base), {}))
    made.up()
    yield made
    made.down()


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
        """What it said; it must end well unless it `fails`."""
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
        return done.stdout

    def written(self, lines: list[dict[str, object]]) -> str:
        """A file with these lines; its path."""
        path = self._folder / "lines.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(path)
