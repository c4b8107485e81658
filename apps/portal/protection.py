"""What protects a page: nothing of it is kept, told to other sites, or loaded from them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from csp.decorators import csp_update
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = TypeVar("Answer", bound=HttpResponseBase)
Policy = Mapping[str, Sequence[str]]
CONTENT_SECURITY_POLICY: Policy = {
    "style-src": ("'self'",),
    "script-src": ("'self'",),
    "connect-src": ("'self'",),
    "img-src": ("'self'",),
}


def protect(request: HttpRequest, response: Answer, *, more: Policy | None = None) -> Answer:
    """The response with its headers. `more`: what this page needs beyond the policy of all pages, by directive."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    csp_update(_policy(more or {}))(lambda _: response)(request)
    return response


def _policy(more: Policy) -> dict[str, list[str]]:
    """django-csp adds it to the policy of all answers, directive by directive."""
    names = {**CONTENT_SECURITY_POLICY, **more}
    return {name: [*CONTENT_SECURITY_POLICY.get(name, ()), *more.get(name, ())] for name in names}
