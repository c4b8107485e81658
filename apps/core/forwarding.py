"""Plain http is led to https. `X-Forwarded-Proto` counts only from a trusted proxy; one that is not, or is silent, is named in the log."""

import threading
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware

from apps.core.requests import comes_from_proxy, peer_of

log = structlog.get_logger("gatehouse.configuration")

HEADER = "HTTP_X_FORWARDED_PROTO"
UNTRUSTED = (
    "A proxy that speaks TLS has sent this request on, and is not trusted: it is answered by a redirect to where it came from, without "
    "end. Set TRUSTED_PROXIES to the network of the proxy, and restart."
)
SILENT = (
    "A trusted proxy has sent this request on without X-Forwarded-Proto, and it is answered by a redirect to https, without end if that "
    "is where it came from. Have the proxy set the header."
)


class HttpsMiddleware(SecurityMiddleware):
    """Django's redirect, for which SECURE_PROXY_SSL_HEADER believes anybody: here nobody but trusted proxies is heard.

    The headers that Django would add here are those of `core.security_headers`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._go_on = get_response
        self._told: set[str] = set()
        self._telling = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = request.META.get(HEADER)
        if said is not None and not comes_from_proxy(request):
            del request.META[HEADER]
        redirect = self.process_request(request)
        if redirect is None:
            return self._go_on(request)
        self._warn(request, said=(said or "").partition(",")[0].strip().lower())
        return redirect

    def _warn(self, request: HttpRequest, *, said: str) -> None:
        meaning = self._meaning(said, trusted=comes_from_proxy(request))
        if meaning and self._is_first(meaning):
            log.warning("redirect_without_end", peer=str(peer_of(request) or "unknown"), meaning=meaning)

    def _meaning(self, said: str, *, trusted: bool) -> str:
        if said == "https" and not trusted:
            return UNTRUSTED
        return SILENT if trusted and not said else ""

    def _is_first(self, meaning: str) -> bool:
        """Each process says each once: a redirect without end would fill the log."""
        with self._telling:
            first = meaning not in self._told
            self._told.add(meaning)
        return first
