"""Answers proxies before Django's handler: a yes needs no middleware, no routing and no DRF (measured: see docs/performance.md).

Whatever is no yes goes on to Django's handler, whose view says why in the one form of errors.
"""

import threading
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.http import HttpRequest

from apps.api.forward_auth import verdict
from apps.api.forward_auth.original_request import Environ, OriginalRequest
from apps.api.forward_auth.view import REFUSAL
from apps.core import request_log, security_headers
from apps.core.requests import address_of, request_id_of

STATUS_LINES = {verdict.NO_CONTENT: "204 No Content", verdict.OK: "200 OK"}

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class ForwardAuthShortcut:
    """A WSGI application in front of Django's handler."""

    def __init__(self, django: "WSGIApplication") -> None:
        self._django = django

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        inquiry = verdict.inquiry_of(environ)
        if inquiry is None:
            return self._django(environ, start_response)
        started = time.monotonic()
        try:
            told = verdict.headers_of(environ, inquiry)
        except Exception as refusal:  # noqa: BLE001  (the view raises it again)
            environ[REFUSAL] = refusal
            return self._django(environ, start_response)
        finally:
            _let_go_of_the_database()
        _log(environ, status=inquiry.success, seconds=time.monotonic() - started)
        start_response(STATUS_LINES[inquiry.success], [*told, *_of_every_answer(environ)])
        return [b""]


class _OfThisThread(threading.local):
    """Django's connection of a thread. To look it up in Django takes 7 µs."""

    def __init__(self) -> None:
        self.connection: Any = connections[DEFAULT_DB_ALIAS]


_of_this_thread = _OfThisThread()


def _let_go_of_the_database() -> None:
    """As Django does at the end of each request, but nothing if it was not used.

    A connection that was let go of is checked at its next use, so nothing is to be done before either.
    """
    if _of_this_thread.connection.health_check_done:
        close_old_connections()


def _log(environ: Environ, *, status: int, seconds: float) -> None:
    request = cast("HttpRequest", OriginalRequest(environ, own_method_is_original=True))
    request_log.note(
        request_id=request_id_of(request),
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        status=status,
        ip=address_of(request),
        seconds=seconds,
    )


def _of_every_answer(environ: Environ) -> list[tuple[str, str]]:
    request = cast("HttpRequest", OriginalRequest(environ, own_method_is_original=True))
    return [*_protection(), ("X-Request-ID", request_id_of(request))]


@lru_cache(maxsize=1)
def _protection() -> tuple[tuple[str, str], ...]:
    return tuple(security_headers.made_once(HttpRequest()).values())
