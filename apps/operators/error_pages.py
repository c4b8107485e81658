"""What operators see when something goes wrong."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.core import error_answers
from apps.core.errors import FormNotGenuine, GatehouseError
from apps.core.requests import request_id_of

PAGE = "operators/error.html"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  (Django's signature)
    """CSRF_FAILURE_VIEW. Django checks the admin's forms alone."""
    return page(FormNotGenuine(), request)


def page(error: GatehouseError, request: HttpRequest) -> HttpResponse:
    """Looks like the admin, but asks the database nothing: it may be what is away."""
    facts = {"title": _("This did not work"), "message": error.text, "status": error.status}
    site: Any = admin.site
    text = render_to_string(PAGE, {**site.looks(request), **facts, "request_id": request_id_of(request)})
    return HttpResponse(text, status=error.status, headers=error_answers.headers_of(error))
