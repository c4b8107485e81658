"""Logs: one JSON object per line on standard output, with the request id and without secrets."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

from apps.core.log_lines import rendered
from apps.core.redaction import redact

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def log_level(text: str) -> str:
    """A level by its name, in either case. Raises ValueError."""
    if text.upper() not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return text


def logging_settings(*, level: str) -> None:
    """Send Python's and structlog's records the same way, in every process. `core.request_log` has a shorter one of its own."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_line],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {
                "stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}
            },
            "root": {"handlers": ["stdout"], "level": level},
            "loggers": {
                # These repeat our own request line, or a request's query.
                **{name: {"level": "CRITICAL"} for name in ("django.request", "django.server", "_granian")},
                # That a task has come, and that it is done, says nothing: what it did has a line of its own (200 µs of CPU each).
                **{name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace")},
            },
        }
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _without_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return redact(event)


def _as_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return rendered(event).decode("ascii")
