"""A request before Django has read it: its environment (PEP 3333), and what little is asked of it before Django's handler."""

from functools import cached_property
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie

Environ = dict[str, Any]
HeaderLines = list[tuple[str, str]]  # of an answer

JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
MOST_DIGITS = 8  # of Content-Length


class EarlyRequest(HttpRequest):
    """What is needed of a request before Django has read it. Django's own `__init__` makes what nobody asks for here."""

    def __init__(self, environ: Environ) -> None:
        self.META = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ["PATH_INFO"])

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802  (as Django names it)
        return parse_cookie(self.META.get("HTTP_COOKIE", ""))

    def _get_scheme(self) -> str:
        return str(self.META["wsgi.url_scheme"])


def json_body_in(environ: Environ) -> bytes | None:
    """The body of a request that says it is JSON, to be read again. None for a length that Django has to look at."""
    said = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE", "").lower() not in JSON or not _is_readable(said):
        return None
    length = int(said)
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError:  # the client went away half-way
        return None
    environ["wsgi.input"] = BytesIO(body)
    return body if len(body) == length else None  # it went away half-way, too


def _is_readable(length: str) -> bool:
    return length.isdecimal() and len(length) <= MOST_DIGITS and int(length) <= settings.MAX_BODY_BYTES
