"""Errors as OAuth's client libraries read them (RFC 6749 section 5.2): `{"error": "invalid_grant", "error_description": "…"}`.

`error` is OAuth's name where it has one, else the `type` that our other endpoints answer with; `request_id` finds the request in our log.
"""

from typing import Any, cast

from django.http import HttpRequest
from django.utils import translation
from rest_framework.response import Response

from apps.api import exception_handler
from apps.core import error_answers, errors
from apps.core.requests import request_id_of
from apps.oauth.errors import InvalidClient, OAuthError

# What is wrong with the request itself has one name.
OF_THE_REQUEST = (
    errors.ValidationFailed,
    errors.MalformedRequest,
    errors.PayloadTooLarge,
    error_answers.UnsupportedMediaType,
    error_answers.MethodNotAllowed,
)


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of these endpoints."""
    request = cast("HttpRequest", context["request"])
    known = exception_handler.translate(error)
    error_answers.note(error, known)
    return Response(body_of(known, request), status=known.status, headers=_headers(known))


def body_of(error: errors.GatehouseError, request: HttpRequest) -> dict[str, Any]:
    return {
        "error": name_of(type(error)),
        "error_description": _description(error),
        "request_id": request_id_of(request),
    }


def name_of(error: type[errors.GatehouseError]) -> str:
    """OAuth's name for it."""
    return OAuthError.type if issubclass(error, OF_THE_REQUEST) else error.type


def _description(error: errors.GatehouseError) -> str:
    """For developers: in English, which is all that the RFC's characters allow."""
    with translation.override("en"):
        text = str(OAuthError.message if isinstance(error, OF_THE_REQUEST) else error.text)
    return text.replace('"', "'").encode("ascii", "ignore").decode()


def _headers(error: errors.GatehouseError) -> dict[str, str]:
    """A client that could not be authenticated is told how (RFC 6749 section 5.2, RFC 9110 section 15.5.2)."""
    basic = {"WWW-Authenticate": 'Basic realm="gatehouse"'} if isinstance(error, InvalidClient) else {}
    return {**error_answers.headers_of(error), **basic}
