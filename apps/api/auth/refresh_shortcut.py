"""Answers refreshes before Django's handler: new tokens need no middleware, no routing and no DRF.

What is asked in another way than most apps ask (from a page, by cookie, without TLS, as no plain JSON) goes on untouched. So do
refusals, and tokens that travel as cookies, with what was found out: the view answers them in their one form.
"""

import time
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from structlog.contextvars import bound_contextvars

from apps.api import cors
from apps.api.auth import token_answer
from apps.api.auth.refresh import LONGEST, OUTCOME, new_tokens
from apps.core import forwarding, request_log, security_headers, text_languages
from apps.core.database_connections import let_go_if_used
from apps.core.requests import address_of, comes_from_proxy, request_id_of
from apps.core.state import hold_back
from apps.payloads.strict_json import NotStrictJson, parse_object
from apps.tokens.minting import TokenPair

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ = dict[str, Any]  # of a request, as WSGI has it (PEP 3333)
HeaderLines = list[tuple[str, str]]

METHOD, PATH = "POST", "/api/auth/refresh"
OK, STATUS_LINE = 200, "200 OK"
JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
MOST_DIGITS = 8  # of Content-Length
OF_VIEW = [("Content-Type", "application/json"), ("Allow", "POST, OPTIONS"), ("Vary", "origin, Accept-Language")]


class EarlyRequest(HttpRequest):
    """What is needed of a request before Django has read it. Django's own `__init__` makes what nobody asks for here."""

    def __init__(self, environ: Environ) -> None:
        self.META = environ
        self.method = str(environ["REQUEST_METHOD"])

    def _get_scheme(self) -> str:
        return str(self.META["wsgi.url_scheme"])


class RefreshShortcut:
    """A WSGI application in front of Django's handler."""

    def __init__(self, django: "WSGIApplication") -> None:
        self._django = django
        self._headers = {
            (is_secure, language): [*headers.values(), ("Content-Language", language), *OF_VIEW]
            for is_secure, headers in security_headers.of_every_answer().items()
            for language, _name in settings.LANGUAGES
        }

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._django(environ, start_response)
        started = time.monotonic()
        request = EarlyRequest(environ)
        text = _token_in(environ) if _is_usual(request) else None
        if text is None:
            return self._django(environ, start_response)
        outcome = environ[OUTCOME] = _outcome(text, request)
        if isinstance(outcome, Exception) or not token_answer.is_in_body(outcome):
            return self._django(environ, start_response)
        let_go_if_used()
        _note(request, seconds=time.monotonic() - started)
        start_response(STATUS_LINE, self._headers_for(request))
        return [orjson.dumps(token_answer.document(outcome))]

    def _headers_for(self, request: HttpRequest) -> HeaderLines:
        language = text_languages.wanted_by(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        return [*self._headers[request.is_secure(), language], ("X-Request-ID", request_id_of(request))]


def _is_usual(request: HttpRequest) -> bool:
    """Whether nothing on the way to the view would have a word to say."""
    environ = request.META
    return (
        request.method == METHOD
        and not environ.get("SCRIPT_NAME")
        and cors.ORIGIN not in environ
        and environ.get("CONTENT_TYPE", "").lower() in JSON
        and (forwarding.HEADER not in environ or comes_from_proxy(request))
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
    )


def _token_in(environ: Environ) -> str | None:
    """The token that the view's serializer would find in the body. None for all else, also for what it would refuse."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isdecimal() and len(length) <= MOST_DIGITS and int(length) <= settings.MAX_BODY_BYTES):
        return None
    try:
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        text = parse_object(body).get("refresh_token")
    except (OSError, NotStrictJson):  # the client went away half-way, or sent no JSON
        return None
    return text if isinstance(text, str) and 0 < len(text) <= LONGEST and "\0" not in text else None


def _outcome(text: str, request: HttpRequest) -> TokenPair | Exception:
    """New tokens, or why there are none. Either is there when it may be told: a refusal may have ended the session."""
    with bound_contextvars(request_id=request_id_of(request)), hold_back.holding_back():
        try:
            return new_tokens(text, request, by_cookie=False)
        except Exception as refusal:  # noqa: BLE001  (the view raises it again)
            return refusal


def _note(request: HttpRequest, *, seconds: float) -> None:
    """The line of the log."""
    request_log.note(
        request_id=request_id_of(request), method=METHOD, path=PATH, status=OK, ip=address_of(request), seconds=seconds
    )
