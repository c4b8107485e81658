"""Browsers in which operators have signed in before. They are counted apart from strangers' attempts.

A signed cookie says so, and nothing else: password and second factor are still asked for.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

COOKIE = "gatehouse_operator_browser"
SALT = "gatehouse/operators/browser/v1"
LIFETIME_SECONDS = 365 * 24 * 60 * 60
MOST_OPERATORS = 8  # in one browser; the one whose last sign-in is longest ago is forgotten first


def known_to(request: HttpRequest, operator_id: int) -> str | None:
    """The id of this browser, if this operator has signed in with it before."""
    browser, operators = _read(request)
    return browser if operator_id in operators else None


def remember(request: HttpRequest, response: HttpResponseBase, operator_id: int) -> None:
    """Add the operator to those who have signed in with this browser."""
    browser, operators = _read(request)
    latest = [operator_id, *(other for other in operators if other != operator_id)][:MOST_OPERATORS]
    response.set_cookie(
        COOKIE,
        signing.dumps([browser or secrets.token_urlsafe(16), latest], salt=SALT),
        max_age=LIFETIME_SECONDS,
        path="/admin/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[int]]:
    """The browser's id and its operators; empty without a cookie that we have signed."""
    try:
        said: Any = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        return "", []
    browser, operators = said
    return str(browser), list(operators)
