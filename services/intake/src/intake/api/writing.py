"""Answers as HTTP has them."""

from __future__ import annotations

from starlette.responses import Response

from intake.app.answers import Answer


def accepted(answer: Answer, timelines: str) -> Response:
    """202, with the timeline's place in `Location`."""
    location = f"{timelines}/v1/requests/{answer.request_id}/timeline"
    return Response(answer.body(), 202, {"location": location}, "application/json")


def lines(body: list[bytes]) -> Response:
    """200 with one JSON object a line."""
    return Response(b"".join(body), 200, media_type="application/x-ndjson")
