"""Answers proxies before Django's handler: a yes needs no middleware, no routing and no DRF.

Whatever is no yes goes on to Django's handler, whose view says why in the one form of errors.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest

from apps.api.forward_auth import verdict
from apps.api.forward_auth.verdict import Inquiry
from apps.api.forward_auth.view import REFUSAL
from apps.api.shortcut import Environ
from apps.core import request_log, security_headers
from apps.core.database_connections import let_go_if_used
from apps.core.errors import ValidationFailed
from apps.core.requests import address_in, request_id_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

STATUS_LINES = {verdict.NO_CONTENT: "204 No Content", verdict.OK: "200 OK"}


class ForwardAuthShortcut:
    """A WSGI application in front of Django's handler."""

    def __init__(self, django: "WSGIApplication") -> None:
        self._django = django
        self._of_every_answer = list(security_headers.made_once(HttpRequest()).values())

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        inquiry = verdict.inquiry_of(environ)
        if inquiry is None:
            return self._django(environ, start_response)
        started = time.monotonic()
        try:
            told = verdict.headers_of(environ, inquiry)
        except ValidationFailed:  # says what is wrong in the language of the request, which is known further in
            return self._django(environ, start_response)
        except Exception as refusal:  # noqa: BLE001  (the view raises it again)
            environ[REFUSAL] = refusal
            return self._django(environ, start_response)
        finally:
            let_go_if_used()
        request_id = _note(environ, inquiry, seconds=time.monotonic() - started)
        headers = [*told, *self._of_every_answer, ("X-Request-ID", request_id)]
        start_response(STATUS_LINES[inquiry.success], headers)
        return [b""]


def _note(environ: Environ, inquiry: Inquiry, *, seconds: float) -> str:
    """The line of the log. Returns the request's id."""
    request_id = request_id_in(environ)
    request_log.note(
        request_id=request_id,
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        status=inquiry.success,
        ip=address_in(environ) or None,
        seconds=seconds,
    )
    return request_id
