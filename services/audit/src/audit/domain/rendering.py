"""JSON as it goes out."""

import json
from typing import Any

import orjson


def render(answer: Any) -> bytes:
    """JSON in UTF-8. A foreign event may state a number of more than 64 bits, which only the slow writer can write."""
    try:
        return orjson.dumps(answer)
    except TypeError:
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
