"""The page at the bare address."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from apps.core import content_policy
from apps.portal.page import Page

POLICY = content_policy.text({"style-src": ["'self'"], "img-src": ["'self'"]})
LINKS: tuple[dict[str, Any], ...] = (
    {"key": "admin", "route": "admin:index", "name": _("Administration"), "readers": _("for operators")},
    {"key": "documentation", "route": "docs", "name": _("API documentation"), "readers": _("for developers")},
    {"key": "health", "route": "healthz", "name": _("Health"), "readers": _("for monitoring")},
)


@method_decorator(content_policy.bearing(POLICY), name="dispatch")
class FrontPage(Page):
    """Leads people from the bare address to where they want to go. It says nothing about customers or versions."""

    def get(self, request: HttpRequest) -> HttpResponse:
        links = [{**link, "path": reverse(link["route"])} for link in LINKS]
        if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            answer: HttpResponse = JsonResponse({link["key"]: link["path"] for link in links})
        else:
            answer = render(request, "portal/front.html", {"links": links})
        patch_vary_headers(answer, ["Accept"])
        return answer
