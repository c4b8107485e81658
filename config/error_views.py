"""Errors outside the API's views: JSON in the usual form, but pages for people under /admin/ and at hosted pages."""

import sys

from django.http import HttpRequest, HttpResponse

from apps.core import error_answers, errors
from apps.operators import error_pages
from apps.operators.middleware import is_for_people
from apps.portal import error_pages as hosted_pages


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(error_answers.translate(exception), request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's signature)
    return _answer(errors.PermissionDenied(), request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's signature)
    return _answer(errors.NotFound(), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception. Its own log lines are off, since they would repeat queries."""
    error = sys.exception()
    if not isinstance(error, Exception):
        error = RuntimeError("Django asked for an error page without an exception")
    known = error_answers.translate(error)
    error_answers.note(error, known)
    return _answer(known, request)


def _answer(error: errors.GatehouseError, request: HttpRequest) -> HttpResponse:
    if is_for_people(request):
        return error_pages.page(error, request)
    if hosted_pages.is_for_people(request):
        return hosted_pages.page(error, request)
    return error_answers.plain(error, request)
