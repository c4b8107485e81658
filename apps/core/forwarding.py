"""`X-Forwarded-Proto` counts only from a trusted proxy. A proxy that is not trusted, or does not send it, is named in the log."""

import threading
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core import client_address
from apps.core.requests import trusted_proxies

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


class ForwardedProtoMiddleware:
    """Runs before Django's SecurityMiddleware, whose SECURE_PROXY_SSL_HEADER believes anybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._told: set[str] = set()
        self._telling = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        peer = client_address.parse(request.META.get("REMOTE_ADDR", ""))
        trusted = peer is not None and client_address.contains(trusted_proxies(), peer)
        said = request.META.get(HEADER, "").partition(",")[0].strip().lower()
        if not trusted:
            request.META.pop(HEADER, None)
        response = self.get_response(request)
        meaning = self._meaning(said, trusted=trusted)
        if meaning and _leads_to_https(response) and self._is_first(meaning):
            log.warning("redirect_without_end", peer=str(peer) if peer else "unknown", meaning=meaning)
        return response

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


def _leads_to_https(response: HttpResponseBase) -> bool:
    return response.status_code == 301 and response.headers.get("Location", "").startswith("https://")
