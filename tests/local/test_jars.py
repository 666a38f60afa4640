"""A jar that is not what the lock says is never used, and is fetched anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import jars
from local_stack.errors import Failed
from local_stack.layout import JARS, JARS_LOCK
from tests.local.linking import linked_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The jars of this checkout, in a folder that a test may spoil."""
    linked_tree(JARS, tmp_path / "jars")
    return tmp_path / "jars"


def spoil(path: Path, content: bytes) -> None:
    """By replacement: the copy shares its files with the checkout."""
    path.unlink()
    path.write_bytes(content)


def test_what_was_compared_is_not_read_again(folder: Path) -> None:
    assert not jars.missing(folder)
    assert jars.fetch(folder) == 0


def test_a_short_jar_is_refused_and_fetched_anew(folder: Path) -> None:
    jar = jars.locked_jars()[0]
    path = jar.under(folder)
    whole = path.read_bytes()
    spoil(path, whole[: len(whole) // 2])
    assert jars.missing(folder)
    assert jars.fetch(folder) == 1
    assert path.read_bytes() == whole
    assert not jars.missing(folder)


def test_a_jar_of_the_right_length_with_another_content_is_fetched_anew(folder: Path) -> None:
    path = jars.locked_jars()[1].under(folder)
    whole = path.read_bytes()
    spoil(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    assert jars.fetch(folder) == 1
    assert path.read_bytes() == whole


def test_a_missing_jar_is_named_where_nothing_may_be_fetched(folder: Path) -> None:
    path = jars.locked_jars()[2].under(folder)
    path.unlink()
    with pytest.raises(Failed, match=path.name):
        jars.class_path(folder)


def test_a_jar_that_the_lock_does_not_agree_with_is_refused_for_good(tmp_path: Path) -> None:
    real = jars.locked_jars()[0]
    lock = tmp_path / "jars.lock"
    lock.write_text(f"{'0' * 64} {real.group}:{real.artifact}:{real.version}\n")
    with pytest.raises(Failed, match=f"{real.sha256}.*lock says {'0' * 64}"):
        jars.fetch(tmp_path / "jars", lock=lock)
    assert not real.under(tmp_path / "jars").exists()


def test_the_lock_names_46_jars_without_an_address() -> None:
    assert len(jars.locked_jars()) == 46
    assert "://" not in JARS_LOCK.read_text()
