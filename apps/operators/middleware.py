"""Django's own middleware for the admin alone: API requests carry no operator session and pay for none."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django_otp.middleware import OTPMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_for_people(request: HttpRequest) -> bool:
    """Whether the request is for a page of the admin. Pages answer errors in HTML, the API in JSON."""
    return request.path.startswith("/admin/")


class _AdminOnly(MiddlewareMixin):
    """Lets a middleware of Django's act under /admin/ alone."""

    def __call__(self, request: HttpRequest) -> Any:
        if not is_for_people(request):
            return self.get_response(request)
        return super().__call__(request)


class AdminSessionMiddleware(_AdminOnly, SessionMiddleware):
    """Operators' sessions."""


class AdminCsrfMiddleware(_AdminOnly, CsrfViewMiddleware):
    """CSRF protection of the admin; the API's cookie mode has its own (contract 3.8)."""

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseForbidden | None:
        return super().process_view(request, *view) if is_for_people(request) else None


class AdminAuthenticationMiddleware(_AdminOnly, AuthenticationMiddleware):
    """Who the operator is. End users are never Django users."""

    def process_view(self, *arguments: object, **options: object) -> None:
        """Django's LoginRequiredMiddleware hook: not used."""


class AdminSecondFactorMiddleware(OTPMiddleware):
    """Whether the operator has passed the second factor."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().__call__(request) if is_for_people(request) else self.get_response(request)
        return response


class AdminMessageMiddleware(_AdminOnly, MessageMiddleware):
    """One-time notices to operators."""


class AdminContentSecurityPolicyMiddleware:
    """Replaces the policy under /admin/, and nowhere else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_for_people(request):
            response._csp_replace = settings.ADMIN_CONTENT_SECURITY_POLICY  # type: ignore[attr-defined]  # noqa: SLF001
        return response
