"""Logs: one JSON object per line on standard output, with the request id and without secrets."""

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)|secret|token|otp|(?<!status_)code$|authorization|cookie|api[-_]?key$|credential|private|seed|\bdata\b|\bbody\b|jwe|prk",
    re.IGNORECASE,
)
SECRET_VALUES = re.compile(r"ghk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]+|\beyJ[\w-]+\.[\w-]*\.[\w-]*(\.[\w-]*){0,2}")
REDACTED = "[redacted]"
DEEPEST = 6
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def log_level(text: str) -> str:
    """A level by its name, in either case. Raises ValueError."""
    if text.upper() not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return text


def logging_settings(*, level: str) -> None:
    """Send Python's and structlog's records the same way, in every process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(),
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {
                "stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}
            },
            "root": {"handlers": ["stdout"], "level": level},
            # These repeat our own request line, or a request's query.
            "loggers": {name: {"level": "CRITICAL"} for name in ("django.request", "django.server", "_granian")},
        }
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values that are named like a secret, or look like a token or an API key, at any depth."""
    return {name: _redacted(name, value, DEEPEST) for name, value in event.items()}


def _redacted(name: str, value: Any, depth: int) -> Any:
    if SECRET_NAMES.search(name):
        return REDACTED
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_members(value, depth - 1)
    return value if isinstance(value, int | float | bool | None) else SECRET_VALUES.sub(REDACTED, _text(value))


def _redacted_members(value: Any, depth: int) -> Any:
    if not depth:
        return REDACTED  # as text, the names of its members could not be told from the values
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), member, depth) for key, member in value.items()}
    return [_redacted("", member, depth) for member in value]


def _text(value: Any) -> str:
    """Bytes as text: else a secret in them would not be recognised."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
