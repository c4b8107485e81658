"""The page that shows a new secret: once, to the operator who made it, with a call that uses it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.operators import questions
from apps.operators.new_secrets import kept_secrets

GONE = 410


@dataclass(frozen=True)
class ShownOnce:
    """A new secret, and the row that it belongs to. `command`: a shell command that uses it; `back`: where to go on, if not there."""

    title: str
    secret: str = field(repr=False)
    row: Model
    command: str = field(default="", repr=False)
    back: str = ""


def lead_to(request: HttpRequest, shown: ShownOnce) -> HttpResponse:
    """On to the page with the secret. Loading that page again makes nothing and shows nothing."""
    facts = {
        "title": str(shown.title),
        "shown": shown.secret,
        "command": shown.command,
        "back": shown.back or questions.address_of(shown.row),
    }
    return _lead_to(request, facts)


def lead_to_recovery_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The same for the operator's own recovery codes."""
    return _lead_to(request, {"title": _("Second factor"), "recovery_codes": codes, "back": reverse("admin:index")})


def page(request: HttpRequest, kept_id: UUID, context: dict[str, Any]) -> HttpResponse:
    """The secret, or that it has been shown already. Only a GET takes it: a browser that asks for headers gets none."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    facts = kept_secrets.take(request, kept_id) or {}
    return TemplateResponse(
        request,
        "operators/shown_once.html",
        {**context, "has_own_heading": True, **facts},
        status=None if facts else GONE,
        headers={"Cache-Control": "no-store"},
    )


def _lead_to(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:shown_once", args=[kept_secrets.keep(request, facts)]))
