"""Lines of JSON: cut, and numbered as an editor shows them."""

from __future__ import annotations

from collections.abc import Iterator


def numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line that holds anything with its number, from 1; a line ends with LF or CR LF."""
    for number, raw in enumerate(body.split(b"\n"), start=1):
        if stripped := raw.strip():
            yield number, stripped
