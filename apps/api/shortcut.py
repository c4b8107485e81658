"""Answers the calls that are made most before Django's handler: with no middleware, no routing and no DRF.

A shortcut stands in front of the view of one call, asks the functions that the view asks, and answers a success alone. What is
asked in another way than most apps ask (from a page of another origin, without TLS) goes on to Django untouched. So do refusals,
with what was found out (`handed_on`): the view says it in the one form of errors.
"""

import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from django.conf import settings
from django.http import HttpRequest
from structlog.contextvars import bind_contextvars, reset_contextvars

from apps.api import cors, handed_on
from apps.api.base_views import allowed_methods
from apps.api.early_request import EarlyRequest, Environ, HeaderLines
from apps.core import forwarding, request_log, security_headers, text_languages
from apps.core.database_connections import let_go_if_used
from apps.core.requests import address_of, comes_from_proxy, request_id_of
from apps.core.state import hold_back

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Found = TypeVar("Found")
Arguments = ParamSpec("Arguments")
OwnHeaders = Collection[tuple[str, str]]
# The body, and the headers that this answer has beside those of every answer of the call.
Success = tuple[bytes, OwnHeaders]

OK, STATUS_LINE = 200, "200 OK"


class Shortcut:
    """A WSGI application in front of Django's handler, for one method and path."""

    method: ClassVar[str]
    path: ClassVar[str]
    view: ClassVar[Any]  # the `Endpoint` that answers what the shortcut passes on
    own_headers: ClassVar[OwnHeaders] = ()  # of this call's answers, beside those of every answer of the API

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
        success = self._success(request) if _is_usual(request) else None
        if success is None:
            return self._django(environ, start_response)
        body, more = success
        let_go_if_used()
        self._note(request, seconds=time.monotonic() - started)
        start_response(STATUS_LINE, self._headers_for(request, body, more))
        return [body]

    def answer(self, request: EarlyRequest) -> Success | None:
        """None for what the view has to answer; it also answers whatever is raised here."""
        raise NotImplementedError

    def _success(self, request: EarlyRequest) -> Success | None:
        try:
            return self.answer(request)
        except Exception:  # noqa: BLE001  (the view meets it again, and has the form for it)
            return None

    def _headers_for(self, request: EarlyRequest, body: bytes, more: OwnHeaders) -> HeaderLines:
        of_every_answer = self._headers[request.is_secure(), text_languages.of_answer_to(request)]
        of_this_one = [("Content-Length", str(len(body))), ("X-Request-ID", request_id_of(request))]
        return [*of_every_answer, *more, *of_this_one]

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


def ask(
    request: HttpRequest, step: Callable[Arguments, Found], /, *args: Arguments.args, **named: Arguments.kwargs
) -> Found:
    """What the step gives or raises, handed on to the view, and when it may be told: a refusal may have ended the session."""
    bound = bind_contextvars(request_id=request_id_of(request))
    try:
        with hold_back.holding_back():
            outcome = handed_on.ask(request.META, step, *args, **named)
    finally:
        reset_contextvars(**bound)
    return outcome.get()


def _is_usual(request: HttpRequest) -> bool:
    """Whether no middleware on the way to the view has anything to say to this request.

    Not so below a prefix of the server, from a page of another origin (CORS), by a proxy that nobody trusts, and without TLS where
    it is demanded.
    """
    environ = request.META
    return (
        not environ.get("SCRIPT_NAME")
        and cors.ORIGIN not in environ
        and (forwarding.HEADER not in environ or comes_from_proxy(request))
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
    )
