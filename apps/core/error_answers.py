"""The one place that turns errors into answers, in the one form of contract 5."""

import math
from typing import Any

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DataError, Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.core.requests import request_id_of
from apps.core.times import rfc3339

log = structlog.get_logger(__name__)


class MethodNotAllowed(errors.GatehouseError):
    status = 405
    type = "method_not_allowed"
    message = _("This address does not answer to this method.")


class UnsupportedMediaType(errors.GatehouseError):
    status = 415
    type = "unsupported_media_type"
    message = _("Send the body as application/json.")


class NotAcceptable(errors.GatehouseError):
    status = 406
    type = "not_acceptable"
    message = _("Answers are application/json.")


class InternalError(errors.GatehouseError):
    status = 500
    type = "internal_error"
    message = _("Something went wrong on our side. It has been logged under the request id.")


def note(error: Exception, known: errors.GatehouseError) -> None:
    """Log what is our fault, with its trace; what callers do wrong is in their answer and in the line of the request."""
    if isinstance(known, InternalError):
        log.error("unexpected_error", exc_info=error)
    elif is_outage(error):
        log.error("database_unavailable", exc_info=error)


def plain(error: errors.GatehouseError, request: HttpRequest) -> JsonResponse:
    """The answer outside the API's views: unknown paths, refused hosts, failures in middleware."""
    return JsonResponse(body_of(error, request), status=error.status, headers=headers_of(error))


def translate(error: Exception) -> errors.GatehouseError:
    """An exception of ours, of Django's or of the database's as one of ours."""
    if isinstance(error, errors.GatehouseError):
        return error
    if is_outage(error):
        return errors.TemporarilyUnavailable()
    for kinds, ours in _TRANSLATIONS:
        if isinstance(error, kinds):
            return ours()
    return InternalError()


def is_outage(error: Exception) -> bool:
    """Whether PostgreSQL is away, restarting, out of connections, locked, too slow or read-only: what passes by itself."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, Error) and getattr(error.__cause__, "sqlstate", None) in PASSING


# psycopg has these among its internal errors: a replica that is asked to write (during a failover), and transactions that took too long.
PASSING = ("25006", "25P03", "25P04")

_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], type[errors.GatehouseError]], ...] = (
    ((DjangoPermissionDenied,), errors.PermissionDenied),
    ((Http404,), errors.NotFound),
    ((RequestDataTooBig,), errors.PayloadTooLarge),
    # A value that PostgreSQL cannot hold (a NUL, a number out of range) is the caller's fault.
    ((DataError,), errors.ValidationFailed),
    ((SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError), errors.GatehouseError),
)


def body_of(error: errors.GatehouseError, request: HttpRequest) -> dict[str, Any]:
    """The JSON document of an error."""
    body: dict[str, Any] = {
        "code": error.status,
        "type": error.type,
        "message": str(error.text),
        "timestamp": rfc3339(timezone.now()),
        "request_id": request_id_of(request),
    }
    if error.fields:
        body["fields"] = dict(error.fields)
    if error.limit:
        body["limit"] = error.limit
    if error.retry_after is not None:
        body["retry_after"] = _whole_seconds(error.retry_after)
    if error.max_age is not None:
        body["max_age"] = error.max_age
    return {"error": body}


def headers_of(error: errors.GatehouseError) -> dict[str, str]:
    """The headers of an error: when to come back, and how to authenticate (RFC 6750 section 3, RFC 9470 section 3)."""
    headers = dict(error.headers)
    if isinstance(error, errors.TemporarilyUnavailable):
        headers["Retry-After"] = str(errors.TemporarilyUnavailable.RETRY_AFTER_SECONDS)
    if error.retry_after is not None:
        headers["Retry-After"] = str(_whole_seconds(error.retry_after))
    if isinstance(error, errors.AuthenticationError):
        headers["WWW-Authenticate"] = _challenge(error)
    return headers


def _challenge(error: errors.AuthenticationError) -> str:
    challenge = f'Bearer error="{error.oauth_error}"' if error.oauth_error else "Bearer"
    return challenge if error.max_age is None else f'{challenge}, max_age="{error.max_age}"'


def _whole_seconds(seconds: float) -> int:
    """Rounded up, so that who waits as long as told is let in."""
    return max(1, math.ceil(seconds))
