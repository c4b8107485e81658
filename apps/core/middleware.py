"""What every request passes: an id and a log line, its connection to PostgreSQL let go of, and a language."""

import time
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver
from django.utils import translation
from structlog.contextvars import bind_contextvars, reset_contextvars

from apps.core import request_log, text_languages
from apps.core.database_connections import let_go_after
from apps.core.requests import address_of, request_id_of, require_known_proxies
from apps.core.response_headers import complete, prepared, say_length, vary_on

GetResponse = Callable[[HttpRequest], HttpResponseBase]
BadRequestView = Callable[[HttpRequest, Exception], HttpResponse]

QUIET = ("/healthz", "/readyz")


class RequestLogMiddleware:
    """Gives the request its id, binds it to every log line, lets go of its connection to PostgreSQL, and logs how it ended.

    Outside all that may still change the answer: so it says how long that is, too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        require_known_proxies()  # a server that could not tell who calls must not start
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        request_id = request_id_of(request)
        bound = bind_contextvars(request_id=request_id)
        response = self.get_response(request)  # Django lets no exception through
        let_go_after(response)
        reset_contextvars(**bound)
        if request.path not in QUIET:
            request_log.note(
                request_id=request_id,
                method=request.method or "",
                path=request.path,
                status=response.status_code,
                ip=address_of(request),
                seconds=time.monotonic() - started,
            )
        say_length(response)
        response.headers["X-Request-ID"] = request_id
        return response


class LanguageMiddleware:
    """Answers are in the language of Accept-Language, as far as our texts exist in it.

    Each request sets its language, so none has that of the request before it in the same thread. Django's own middleware looks for
    a language in paths and cookies, too, where we have none, and reads the header anew each time: 50 µs, where this takes 6.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._files = settings.STATIC_URL
        self._said = {code: prepared({"Content-Language": code}) for code, _ in settings.LANGUAGES}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = text_languages.of_answer_to(request)
        translation.activate(language)
        response = self.get_response(request)
        if not request.path.startswith(self._files):  # they have no language, and caches need keep only one of each
            vary_on(response, "Accept-Language")
            complete(response, self._said[language])
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
        if not isinstance(exception, DataError):
            return None
        bad_request = cast("BadRequestView", get_resolver().resolve_error_handler(400))
        return bad_request(request, exception)
