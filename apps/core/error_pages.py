"""Errors outside the API's views: JSON in the one form, but pages for people under /admin/."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from apps.core import error_answers, errors


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_answers.plain(error_answers.translate(exception), request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_people(request):
        return defaults.permission_denied(request, exception)
    return error_answers.plain(errors.PermissionDenied(), request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_people(request):
        return defaults.page_not_found(request, exception)
    return error_answers.plain(errors.NotFound(), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception, and logs nothing itself: its own lines would repeat queries."""
    error = sys.exception() or RuntimeError("Django asked for an error page without an exception")
    known = error_answers.translate(error)  # type: ignore[arg-type]  # Django catches Exception, no BaseException
    error_answers.note(error, known)  # type: ignore[arg-type]
    if not is_for_people(request):
        return error_answers.plain(known, request)
    if isinstance(known, errors.TemporarilyUnavailable):
        return _unavailable(known)
    return defaults.server_error(request)


def _unavailable(known: errors.TemporarilyUnavailable) -> HttpResponse:
    """A page that asks neither database nor session for anything."""
    page = render_to_string("unavailable.html", {"message": known.text})
    return HttpResponse(page, status=known.status, headers=error_answers.headers_of(known))


def is_for_people(request: HttpRequest) -> bool:
    """Whether a browser's page is asked for, not the API."""
    return request.path.startswith("/admin/")
