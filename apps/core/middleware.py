"""What every request passes: an id and a log line, and headers that protect browsers."""

import time
from collections.abc import Callable
from typing import cast

import structlog
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import get_resolver
from django.utils.deprecation import MiddlewareMixin

from apps.core.requests import address_of, request_id_of, trusted_proxies

log = structlog.get_logger("gatehouse.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase]
BadRequestView = Callable[[HttpRequest, Exception], HttpResponse]

POWERS = ("camera", "display-capture", "geolocation", "hid", "microphone", "midi", "payment", "serial", "usb")
ALWAYS = {
    "Permissions-Policy": ", ".join(f"{power}=()" for power in POWERS),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # what may be kept says so: published keys, static files
}
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


class SecurityHeadersMiddleware(SecurityMiddleware):
    """The headers of every answer, whatever made it: a view, a static file, a preflight, an error before any view.

    Django's own SecurityMiddleware stands further in, and redirects to https. What never gets that far (a host that is
    refused) has its headers from here. A view that needs others sets them itself.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Redirecting is not done here."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        return super().process_response(request, response)


class RefuseWhatCannotBeStoredMiddleware(MiddlewareMixin):
    """A value that PostgreSQL cannot hold (a NUL in a filter, a number out of range) is the caller's fault: 400, not 500.

    DRF's views have their own handler; this is for all others.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DataError):
            return None
        bad_request = cast("BadRequestView", get_resolver().resolve_error_handler(400))
        return bad_request(request, exception)
