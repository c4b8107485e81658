"""The stylesheet that gives pages a customer's colour: a file of its own, since no page allows inline styles."""

from django.http import HttpRequest, HttpResponse

from apps.portal import branding
from apps.portal.page import Page

A_YEAR = "public, max-age=31536000, immutable"  # what an address holds follows from the address alone


class BrandStylesheet(Page):
    """Made from the colour in its address. It names no customer, so it tells nothing about any."""

    def get(self, request: HttpRequest, colour: str) -> HttpResponse:
        text = branding.stylesheet(f"#{colour}")
        return HttpResponse(text, content_type="text/css; charset=utf-8", headers={"Cache-Control": A_YEAR})
