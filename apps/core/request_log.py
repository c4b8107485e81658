"""The line that each request leaves in the log: how it ended, and never its query or body.

It has the form of all lines (`config/logging.py`). Its names are ours, and what callers choose is redacted. By way of structlog, a
record of Python's logging and the copy that the formatter makes of it, it took 240 µs. Processes that serve requests write
several together (`core.lines_together`).
"""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from apps.core import log_lines
from apps.core.lines_together import LinesTogether
from apps.core.redaction import redact_text

LOGGER = logging.getLogger("gatehouse.request")  # its level alone counts: LOG_LEVEL, as for all others


@dataclass(slots=True)
class Answered:
    """A request that has been answered at the time `at` (unix), `seconds` after it came."""

    at: float
    request_id: str
    method: str
    path: str
    status: int
    ip: str | None
    seconds: float


class _Sink:
    put: Callable[[Answered], None] = staticmethod(lambda answered: _write([answered]))


def write_together() -> None:
    """From now on lines are written some hundredths of a second late, and all of that time in one go."""
    _Sink.put = LinesTogether(_write).put


def note(*, request_id: str, method: str, path: str, status: int, ip: str | None, seconds: float) -> None:
    """Have the line written of a request that has been answered."""
    if LOGGER.isEnabledFor(logging.INFO):
        _Sink.put(Answered(time.time(), request_id, method, path, status, ip, seconds))


def _write(answered: Sequence[Answered]) -> None:
    """In one write, so that no other line gets between. A log that is full or closed must not fail a request."""
    lines = b"".join(map(_line, answered))
    with suppress(OSError, ValueError):
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()


def _line(answered: Answered) -> bytes:
    event = {
        "event": "request_finished",
        "request_id": redact_text(answered.request_id),
        "method": redact_text(answered.method),
        "path": redact_text(answered.path),
        "status": answered.status,
        "ip": answered.ip,
        "milliseconds": round(answered.seconds * 1000, 1),
        "logger": LOGGER.name,
        "level": "info",
        "timestamp": log_lines.timestamp(answered.at),
    }
    return log_lines.rendered(event) + b"\n"
