"""Cutting a file into batches."""

from __future__ import annotations

import io
import itertools

from throughline.batches import batches


def cut(content: bytes, most_lines: int = 3, most_bytes: int = 40) -> list[tuple[int, int, tuple[int, ...]]]:
    """Where each batch begins and ends, and its line numbers."""
    return [(each.at, each.end, each.numbers) for each in batches(io.BytesIO(content), most_lines, most_bytes)]


def test_batches_cover_the_file_without_gap_or_overlap() -> None:
    content = b"".join(b"%d\n" % n for n in range(100))
    found = cut(content)
    assert found[0][0] == 0
    assert found[-1][1] == len(content)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert [number for *_, numbers in found for number in numbers] == list(range(1, 101))


def test_blank_lines_are_counted_and_not_sent() -> None:
    assert cut(b"\n\na\n  \nb") == [(0, 8, (3, 5))]


def test_a_batch_ends_before_it_grows_too_large() -> None:
    assert [numbers for *_, numbers in cut(b"x" * 30 + b"\n" + b"y" * 30 + b"\n")] == [(1,), (2,)]


def test_a_line_larger_than_a_batch_goes_alone() -> None:
    assert [numbers for *_, numbers in cut(b"a\n" + b"x" * 100 + b"\nb\n")] == [(1,), (2,), (3,)]


def test_the_cuts_depend_only_on_what_stands_before() -> None:
    content = b"".join(b"%d\n" % n for n in range(50))
    assert cut(content)[:10] == cut(content + b"more\n" * 20)[:10]


def test_an_empty_file_has_no_batch() -> None:
    assert cut(b"\n\n") == []
