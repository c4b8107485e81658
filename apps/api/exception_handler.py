"""Turns DRF's exceptions into our errors, in the one form of contract 5. `core.error_answers` does so for all others."""

from typing import Any, cast

from django.http import HttpRequest
from rest_framework import exceptions as drf
from rest_framework.response import Response

from apps.core import error_answers, errors

_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], type[errors.GatehouseError]], ...] = (
    ((drf.ParseError,), errors.MalformedRequest),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), errors.AuthenticationRequired),
    ((drf.PermissionDenied,), errors.PermissionDenied),
    ((drf.NotFound,), errors.NotFound),
    ((drf.UnsupportedMediaType,), error_answers.UnsupportedMediaType),
    ((drf.NotAcceptable,), error_answers.NotAcceptable),
    ((drf.MethodNotAllowed,), error_answers.MethodNotAllowed),
)


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    request = cast("HttpRequest", context["request"])
    known = translate(error)
    error_answers.note(error, known)
    return Response(error_answers.body_of(known, request), status=known.status, headers=error_answers.headers_of(known))


def translate(error: Exception) -> errors.GatehouseError:
    """Any exception as one of ours."""
    if isinstance(error, drf.ValidationError):
        return errors.ValidationFailed(fields=_fields(error.detail))
    for kinds, ours in _TRANSLATIONS:
        if isinstance(error, kinds):
            return ours()
    return error_answers.translate(error)


def _fields(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested error details as one flat mapping: `{"address.city": ["…"]}`."""
    if isinstance(detail, dict):
        nested = [_fields(member, f"{prefix}.{name}" if prefix else str(name)) for name, member in detail.items()]
        return {name: texts for fields in nested for name, texts in fields.items()}
    texts = detail if isinstance(detail, list) else [detail]
    if any(isinstance(text, dict) for text in texts):
        return _fields({str(index): text for index, text in enumerate(texts) if text}, prefix)
    return {prefix or "non_field_errors": [str(text) for text in texts]}
