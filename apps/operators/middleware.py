"""What the admin needs around its pages: operators' sessions, CSRF, the second factor, notices, a policy of its own.

One middleware, so that a request to the API, which carries no operator's session, passes by all of it in one step.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django_otp.middleware import OTPMiddleware

from apps.core import content_policy
from apps.core.requests import context_of
from apps.operators.compression import CompressionMiddleware
from apps.operators.sign_in import session_store

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ActivityMiddleware:
    """Notes that an operator does something. What a page asks for by itself, again and again, is nothing that the operator does."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and not _is_by_script(request):
            session_store.of(request).used(context_of(request))
        return self._get_response(request)


def _is_by_script(request: HttpRequest) -> bool:
    """Browsers say so (Fetch Metadata): no script can leave this header out or change it."""
    return request.method == "GET" and request.META.get("HTTP_SEC_FETCH_DEST") == "empty"


# From the innermost to the outermost.
PARTS: tuple[Callable[[Any], Any], ...] = (
    MessageMiddleware,
    ActivityMiddleware,
    OTPMiddleware,
    AuthenticationMiddleware,
    CsrfViewMiddleware,
    SessionMiddleware,
    CompressionMiddleware,
)


def is_for_people(request: HttpRequest) -> bool:
    """Whether the request is for a page of the admin. Pages answer errors in HTML, the API in JSON."""
    return request.path.startswith("/admin/")


class AdminMiddleware:
    """Django's own middleware, in its usual order, under /admin/ alone.

    The API's cookie mode has a CSRF protection of its own (contract 3.8), and end users are never Django users.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._csrf = CsrfViewMiddleware(get_response)
        self._get_page: Callable[[HttpRequest], Any] = get_response
        self._policy = content_policy.text(instead=settings.ADMIN_CONTENT_SECURITY_POLICY)
        for part in PARTS:
            self._get_page = convert_exception_to_response(part(self._get_page))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_for_people(request):
            return self._get_response(request)
        page: HttpResponseBase = self._get_page(request)
        page.headers.setdefault(content_policy.HEADER, self._policy)
        return page

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseForbidden | None:
        """Django calls this hook of the middleware that it knows, and so not of those within."""
        return self._csrf.process_view(request, *view) if is_for_people(request) else None
