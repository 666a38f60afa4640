"""Reads single values out of Prometheus's text format."""

from __future__ import annotations

import re

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{.*\})? (?P<value>\S+)(?: \d+)?$", re.MULTILINE)


def values(text: str, name: str) -> list[float]:
    """The values of all samples with that name, whatever their labels; empty where there is none."""
    return [float(sample["value"]) for sample in _SAMPLE.finditer(text) if sample["name"] == name]
