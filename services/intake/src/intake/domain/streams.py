"""The names of streams: one for each live request, and one for each imported request apart from it."""

from __future__ import annotations

SOURCE = "/services/intake"
IMPORTS = "/imports"
TOPIC = "contacts"


def of_request(request_id: str) -> str:
    """A live request's stream: intake's own events on it."""
    return request_id


def of_import(request_id: str) -> str:
    """An imported request's stream. No request id holds a slash, so it is never a live one's."""
    return f"{IMPORTS}/{request_id}"
