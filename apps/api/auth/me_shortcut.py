"""Answers who is signed in before Django's handler: what apps ask most, of what the process remembers."""

import math
import time

from django.http import HttpRequest

from apps.api.auth.me import MeView, profile
from apps.api.authentication import token_check
from apps.api.authentication.remembered_answers import Place, RememberedAnswers, place_of
from apps.api.early_request import EarlyRequest
from apps.api.renderers import X_ENCRYPTED, as_json, sealed, to_keep
from apps.api.shortcut import OK, Shortcut, Success, ask
from apps.core.requests import context_of
from apps.core.state.process import present
from apps.payloads.token_envelope import TokenEnvelope

NO_BODY = ("", "0")
Answer = tuple[bytes, TokenEnvelope]  # the document, and what seals it: anew each time

answers = RememberedAnswers[Answer](most=1_000)


class MeShortcut(Shortcut):
    """The same checks as for every call with a token; by header or by cookie, sealed under the token's or the session's keys."""

    method, path, view = "GET", "/api/auth/me", MeView
    own_headers = ((X_ENCRYPTED, "true"),)

    def answer(self, request: EarlyRequest) -> Success | None:
        if request.META.get("CONTENT_LENGTH", "") not in NO_BODY:
            return None
        place = place_of(request.META)
        answer = (answers.find(place, time.time()) if place else None) or _found_anew(request, place)
        return (sealed(*answer, request, status=OK), ()) if answer else None


def _found_anew(request: HttpRequest, place: Place | None) -> Answer | None:
    """By all checks, whatever is remembered. None without a token; raises what the token is refused with."""
    generation, context = present().memory.generation, context_of(request)
    found = ask(request, token_check.check, request, context)
    if found is None:
        return None
    who, envelope = found
    answer = to_keep(as_json(profile(who.user))), envelope
    if place:
        answers.keep(place, who, answer, now=context.now.timestamp(), until=math.inf, generation=generation)
    return answer
