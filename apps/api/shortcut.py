"""Answers the calls that are made most before Django's handler: with no middleware, no routing and no DRF.

A shortcut stands in front of the view of one call, asks the functions that the view asks, and answers a success alone. What is
asked in another way than most apps ask (from a page of another origin, without TLS) goes on to Django untouched. So do refusals,
with what was found out: the view says it in the one form of errors.
"""

import time
from collections.abc import Callable, Iterable
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from structlog.contextvars import bind_contextvars, reset_contextvars

from apps.api import cors
from apps.api.base_views import allowed_methods
from apps.core import forwarding, request_log, security_headers, text_languages
from apps.core.database_connections import let_go_if_used
from apps.core.requests import address_of, comes_from_proxy, request_id_of
from apps.core.state import hold_back

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ = dict[str, Any]  # of a request, as WSGI has it (PEP 3333)
HeaderLines = list[tuple[str, str]]
Found = TypeVar("Found")

OK, STATUS_LINE = 200, "200 OK"
JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
MOST_DIGITS = 8  # of Content-Length


class EarlyRequest(HttpRequest):
    """What is needed of a request before Django has read it. Django's own `__init__` makes what nobody asks for here."""

    def __init__(self, environ: Environ) -> None:
        self.META = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ["PATH_INFO"])
        self.more_headers: HeaderLines = []  # of its answer, beside those that every answer of the call has

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802  (as Django names it)
        return parse_cookie(self.META.get("HTTP_COOKIE", ""))

    def _get_scheme(self) -> str:
        return str(self.META["wsgi.url_scheme"])


class Shortcut:
    """A WSGI application in front of Django's handler, for one method and path."""

    method: ClassVar[str]
    path: ClassVar[str]
    view: ClassVar[Any]  # the `Endpoint` that answers what the shortcut passes on
    own_headers: ClassVar[HeaderLines] = []  # of this call's answers, beside those of every answer of the API

    def __init__(self, django: "WSGIApplication") -> None:
        self._django = django
        of_view = [
            ("Content-Type", "application/json"),
            ("Allow", allowed_methods(self.view)),
            *self.own_headers,
            ("Vary", "origin, Accept-Language"),
        ]
        self._headers = {
            (is_secure, language): [*headers.values(), ("Content-Language", language), *of_view]
            for is_secure, headers in security_headers.of_every_answer().items()
            for language, _name in settings.LANGUAGES
        }

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != self.path or environ["REQUEST_METHOD"] != self.method:
            return self._django(environ, start_response)
        started = time.monotonic()
        request = EarlyRequest(environ)
        body = self._body(request) if _is_usual(request) else None
        if body is None:
            return self._django(environ, start_response)
        let_go_if_used()
        self._note(request, seconds=time.monotonic() - started)
        start_response(STATUS_LINE, self._headers_for(request))
        return [body]

    def answer(self, request: EarlyRequest) -> bytes | None:
        """The body of a success. None for what the view has to answer."""
        raise NotImplementedError

    def _body(self, request: EarlyRequest) -> bytes | None:
        try:
            return self.answer(request)
        except Exception:  # noqa: BLE001  (the view meets it again, and has the form for it)
            return None

    def _headers_for(self, request: EarlyRequest) -> HeaderLines:
        of_every_answer = self._headers[request.is_secure(), text_languages.of_answer_to(request)]
        return [*of_every_answer, *request.more_headers, ("X-Request-ID", request_id_of(request))]

    def _note(self, request: HttpRequest, *, seconds: float) -> None:
        """The line of the log."""
        request_log.note(
            request_id=request_id_of(request),
            method=self.method,
            path=self.path,
            status=OK,
            ip=address_of(request),
            seconds=seconds,
        )


def json_body_in(environ: Environ) -> bytes | None:
    """The body of a request that says it is JSON, to be read again. None for a length that Django has to look at."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE", "").lower() not in JSON or not _is_readable(length):
        return None
    try:
        body: bytes = environ["wsgi.input"].read(int(length))
    except OSError:  # the client went away half-way
        return None
    environ["wsgi.input"] = BytesIO(body)
    return body


def _is_readable(length: str) -> bool:
    return length.isdecimal() and len(length) <= MOST_DIGITS and int(length) <= settings.MAX_BODY_BYTES


def found_out(find: Callable[[], Found], request: HttpRequest) -> Found | Exception:
    """What `find` gives or raises, when it may be told: a refusal may have ended the session."""
    bound = bind_contextvars(request_id=request_id_of(request))
    try:
        with hold_back.holding_back():
            return _given_or_raised(find)
    finally:
        reset_contextvars(**bound)


def _given_or_raised(find: Callable[[], Found]) -> Found | Exception:
    try:
        return find()
    except Exception as refusal:  # noqa: BLE001  (the view raises it again)
        return refusal


def _is_usual(request: HttpRequest) -> bool:
    """Whether nothing on the way to the view would have a word to say."""
    environ = request.META
    return (
        not environ.get("SCRIPT_NAME")
        and cors.ORIGIN not in environ
        and (forwarding.HEADER not in environ or comes_from_proxy(request))
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
    )
