"""Errors outside the API's views: JSON in the one form, but pages for people under /admin/."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.core import error_answers, errors
from apps.core.requests import request_id_of

PAGE = "operators/error.html"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(error_answers.translate(exception), request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's signature)
    return _answer(errors.PermissionDenied(), request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's signature)
    return _answer(errors.NotFound(), request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  (Django's signature)
    """CSRF_FAILURE_VIEW. Django checks the admin's forms alone."""
    return _answer(errors.FormNotGenuine(), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception, and logs nothing itself: its own lines would repeat queries."""
    error = sys.exception() or RuntimeError("Django asked for an error page without an exception")
    known = error_answers.translate(error)  # type: ignore[arg-type]  # Django catches Exception, no BaseException
    error_answers.note(error, known)  # type: ignore[arg-type]
    return _answer(known, request)


def is_for_people(request: HttpRequest) -> bool:
    """Whether a browser's page is asked for, not the API."""
    return request.path.startswith("/admin/")


def page(error: errors.GatehouseError, request: HttpRequest) -> HttpResponse:
    """In the admin's clothes, but without anything that needs the database: it may be what is away."""
    facts = {"title": _("This did not work"), "message": error.text, "status": error.status}
    text = render_to_string(PAGE, {**facts, "request_id": request_id_of(request)})
    return HttpResponse(text, status=error.status, headers=error_answers.headers_of(error))


def _answer(error: errors.GatehouseError, request: HttpRequest) -> HttpResponse:
    return page(error, request) if is_for_people(request) else error_answers.plain(error, request)
