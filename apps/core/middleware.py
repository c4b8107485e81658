"""What every request passes: an id and a log line, headers that protect browsers, and Django's own parts for the admin alone."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django_otp.middleware import OTPMiddleware

from apps.core.error_pages import bad_request, is_for_people
from apps.core.requests import address_of, request_id_of, trusted_proxies

log = structlog.get_logger("gatehouse.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
NEVER_STORED = ("/api/", "/admin/")
QUIET = ("/healthz", "/readyz")


class RequestLogMiddleware:
    """Gives the request its id, binds it to every log line, and logs how it ended: never its query or body."""

    def __init__(self, get_response: GetResponse) -> None:
        trusted_proxies()  # a server that could not tell who calls must not start
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        request_id = request_id_of(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if request.path not in QUIET:
                log.info(
                    "request_finished",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ip=address_of(request),
                    milliseconds=round((time.monotonic() - started) * 1000, 1),
                )
        response.headers["X-Request-ID"] = request_id
        return response


class SecurityHeadersMiddleware:
    """Headers that Django's SecurityMiddleware does not set."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith(NEVER_STORED):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class RefuseWhatCannotBeStoredMiddleware:
    """A value that PostgreSQL cannot hold (a NUL in a filter, a number out of range) is the caller's fault: 400, not 500.

    DRF's views have their own handler; this is for all others.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return bad_request(request, exception) if isinstance(exception, DataError) else None


class _AdminOnly(MiddlewareMixin):
    """Lets a middleware of Django's act under /admin/ alone: API requests carry no operator session and pay for none."""

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


class AdminSecondFactorMiddleware(OTPMiddleware):  # type: ignore[misc]  # django-otp has no types
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
