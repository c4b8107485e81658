"""The headers of every answer, whatever made it: a view, a static file, a preflight, an error before any view."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from apps.core import content_policy
from apps.core.response_headers import Prepared, complete, prepared

POWERS = ("camera", "display-capture", "geolocation", "hid", "microphone", "midi", "payment", "serial", "usb")
ALWAYS = {
    "Permissions-Policy": ", ".join(f"{power}=()" for power in POWERS),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # what may be kept says so: published keys, static files
}


class SecurityHeadersMiddleware:
    """Stands outside all that may answer by itself. A view that needs others of these headers sets them itself.

    The same for all requests, but that HSTS is not said without TLS (RFC 6797 section 7.2). So they are made once, at the start:
    Django's two middlewares and django-csp's took 130 µs of each request, this takes 2.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._headers = of_every_answer()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        complete(response, self._headers[request.is_secure()])
        return response


class _RequestOverTls(HttpRequest):
    def _get_scheme(self) -> str:
        return "https"


def of_every_answer() -> Mapping[bool, Prepared]:
    """For requests that came over TLS (True), and for others."""
    return {True: made_once(_RequestOverTls()), False: made_once(HttpRequest())}


def made_once(request: HttpRequest) -> Prepared:
    """What Django says in every answer, by its settings, and what we add to it."""
    answer = HttpResponse()
    del answer.headers["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _: answer).process_response(request, answer)
    return prepared({**answer.headers, content_policy.HEADER: content_policy.text(), **ALWAYS})
