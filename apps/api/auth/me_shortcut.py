"""Answers who is signed in before Django's handler: what apps ask most, of what the process remembers."""

from functools import partial

from django.http import HttpRequest

from apps.api.auth.me import MeView, profile
from apps.api.authentication import token_check
from apps.api.renderers import X_ENCRYPTED, as_json, sealed
from apps.api.shortcut import OK, Shortcut, found_out
from apps.core.requests import context_of

NO_BODY = ("", "0")


class MeShortcut(Shortcut):
    """The same checks as for every call with a token; by header or by cookie, sealed under the token's or the session's keys."""

    method, path, view = "GET", "/api/auth/me", MeView
    own_headers = [(X_ENCRYPTED, "true")]

    def answer(self, request: HttpRequest) -> bytes | None:
        if request.META.get("CONTENT_LENGTH", "") not in NO_BODY:
            return None
        outcome = found_out(partial(token_check.check, request, context_of(request)), request)
        request.META[token_check.OUTCOME] = outcome
        if outcome is None or isinstance(outcome, Exception):
            return None
        who, envelope = outcome
        return sealed(as_json(profile(who.user)), envelope, request, status=OK)
