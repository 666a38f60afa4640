"""Structured logs: one JSON object a line on stdout, event names in snake case, ids as fields."""


def configure(service: str, level: str = "INFO") -> None:
    """Set structlog and the standard library's logging up, once, at the start of the process.

    Every line has `at` (RFC 3339, µs), `level`, `event`, `service`, and `trace_id` where a trace is current.
    """
    raise NotImplementedError
