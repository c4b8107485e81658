"""Answers refreshes before Django's handler. Tokens that travel as cookies, and bodies that are no plain JSON, go on to the view."""

from functools import partial
from io import BytesIO

import orjson
from django.conf import settings
from django.http import HttpRequest

from apps.api.auth import token_answer
from apps.api.auth.refresh import LONGEST, OUTCOME, RefreshView, new_tokens
from apps.api.shortcut import Environ, Shortcut, found_out
from apps.payloads.strict_json import NotStrictJson, parse_object

JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
MOST_DIGITS = 8  # of Content-Length


class RefreshShortcut(Shortcut):
    method, path, view = "POST", "/api/auth/refresh", RefreshView

    def answer(self, request: HttpRequest) -> bytes | None:
        text = _token_in(request.META)
        if text is None:
            return None
        outcome = found_out(partial(new_tokens, text, request, by_cookie=False), request)
        request.META[OUTCOME] = outcome
        if isinstance(outcome, Exception) or not token_answer.is_in_body(outcome):
            return None
        return orjson.dumps(token_answer.document(outcome))


def _token_in(environ: Environ) -> str | None:
    """The token that the view's serializer would find in the body. None for all else, also for what it would refuse."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE", "").lower() not in JSON or not _is_readable(length):
        return None
    try:
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        text = parse_object(body).get("refresh_token")
    except (OSError, NotStrictJson):  # the client went away half-way, or sent no JSON
        return None
    return text if isinstance(text, str) and 0 < len(text) <= LONGEST and "\0" not in text else None


def _is_readable(length: str) -> bool:
    return length.isdecimal() and len(length) <= MOST_DIGITS and int(length) <= settings.MAX_BODY_BYTES
