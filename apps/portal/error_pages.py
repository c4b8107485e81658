"""What people see at hosted pages when something fails outside a page: an address that is none, a database that is away."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.core import error_answers
from apps.core.errors import GatehouseError
from apps.portal import protection

PAGES = ("/sign-in/", "/sign-out/", "/account/", "/api/oauth/logout")


def is_for_people(request: HttpRequest) -> bool:
    """Whether the request is for a hosted page."""
    return request.path.startswith(PAGES)


def page(error: GatehouseError, request: HttpRequest) -> HttpResponse:
    """Asks the database nothing: it may be what is away."""
    facts = {"error": error, "heading": _("This did not work"), "said": error.text}
    response = render(request, "portal/refused.html", facts, status=error.status)
    for name, value in error_answers.headers_of(error).items():
        response[name] = value
    return protection.protect(response)
