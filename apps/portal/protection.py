"""What protects a page: nothing of it is kept, told to other sites, or loaded from them."""

from typing import TypeVar

from django.http.response import HttpResponseBase
from django.utils import translation

from apps.core import content_policy
from apps.core.content_policy import NOTHING, Policy

Answer = TypeVar("Answer", bound=HttpResponseBase)
OF_ALL_PAGES: Policy = {
    "style-src": ("'self'",),
    "script-src": ("'self'",),
    "connect-src": ("'self'",),
    "img-src": ("'self'",),
}


def protect(response: Answer, *, more: Policy = NOTHING) -> Answer:
    """The response with its headers. `more`: what this page needs beyond the policy of all pages, by directive."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["Content-Language"] = translation.get_language() or ""
    response[content_policy.HEADER] = content_policy.text(OF_ALL_PAGES, more)
    return response
