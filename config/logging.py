"""Logs: one JSON object a line on standard output, with the request id, without secrets."""

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)|secret|token|otp|\bcode\b|authorization|cookie|api_?key$|credential|private|seed|\bdata\b|\bbody\b|jwe|prk",
    re.IGNORECASE,
)
SECRET_VALUES = re.compile(r"ghk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]+|\beyJ[\w-]+\.[\w-]*\.[\w-]*(\.[\w-]*){0,2}")
REDACTED = "[redacted]"
DEEPEST = 6


def logging_settings(*, level: str) -> None:
    """Send Python's and structlog's records the same way, whichever process this is."""
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
            # What our own request line says already, or what would repeat a request's query.
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
    """Replace what is named like a secret, or looks like a token or an API key, at any depth."""
    return {name: _redacted(name, value, DEEPEST) for name, value in event.items()}


def _redacted(name: str, value: Any, depth: int) -> Any:
    if SECRET_NAMES.search(name):
        return REDACTED
    if isinstance(value, str):
        return SECRET_VALUES.sub(REDACTED, value)
    if isinstance(value, Mapping) and depth:
        return {key: _redacted(str(key), member, depth - 1) for key, member in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [_redacted("", member, depth - 1) for member in value]
    return value if depth and isinstance(value, int | float | bool | None) else _printable(value)


def _printable(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | None) else SECRET_VALUES.sub(REDACTED, str(value))
