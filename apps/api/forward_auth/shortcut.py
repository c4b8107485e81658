"""Answers proxies before Django's handler: a yes needs no middleware, no routing and no DRF.

What is no yes goes on to the view with what was found out (`handed_on`): it says why in the one form of errors.

What is for browsers and caches alone (HSTS, Vary, Content-Language, Allow) a yes does not bear: a proxy reads it, and passes on
what it tells the app.
"""

import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest

from apps.api import handed_on
from apps.api.authentication.remembered_answers import Place, RememberedAnswers, place_of
from apps.api.early_request import Environ, HeaderLines
from apps.api.forward_auth import demands, verdict
from apps.api.forward_auth.verdict import Inquiry
from apps.core import request_log, security_headers
from apps.core.database_connections import let_go_if_used
from apps.core.requests import address_in, request_id_in
from apps.core.state.process import present

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

STATUS_LINES = {verdict.NO_CONTENT: "204 No Content", verdict.OK: "200 OK"}

verdicts = RememberedAnswers[HeaderLines](most=10_000)  # of 0.5 KiB (tracemalloc)


class ForwardAuthShortcut:
    """A WSGI application in front of Django's handler. No `Shortcut`: it answers to any method, and needs less of a request."""

    def __init__(self, django: "WSGIApplication") -> None:
        self._django = django
        self._of_every_answer = list(security_headers.made_once(HttpRequest()).values())

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        inquiry = verdict.inquiry_of(environ)
        if inquiry is None:
            return self._django(environ, start_response)
        started = time.monotonic()
        told = _told_if_let_in(environ, inquiry)
        if told is None:
            return self._django(environ, start_response)
        let_go_if_used()
        request_id = _note(environ, inquiry, seconds=time.monotonic() - started)
        headers = [*told, *self._of_every_answer, ("X-Request-ID", request_id)]
        start_response(STATUS_LINES[inquiry.success], headers)
        return [b""]


def _told_if_let_in(environ: Environ, inquiry: Inquiry) -> HeaderLines | None:
    """What the app is told of whom the proxy may let in. None for what the view has to answer."""
    try:
        place, now = place_of(environ, inquiry.demands), time.time()
        return (verdicts.find(place, now) if place else None) or _decided_anew(environ, inquiry, place, now)
    except Exception:  # noqa: BLE001  (the view meets it again)
        return None


def _decided_anew(environ: Environ, inquiry: Inquiry, place: Place | None, now: float) -> HeaderLines:
    """By all checks, whatever is remembered. Raises what becomes the answer to whoever is not let in."""
    wanted = demands.parse(inquiry.demands)  # of this the view says what is wrong, in the language of the request
    generation = present().memory.generation
    # Not by `shortcut.ask`: nothing here announces anything that an answer would have to wait for.
    who = handed_on.ask(environ, verdict.let_in, inquiry.original_request(environ), wanted).get()
    told = verdict.told_of(who)
    if place:
        until = math.inf if wanted.max_age is None else who.proof.auth_time + wanted.max_age
        verdicts.keep(place, who, told, now=now, until=until, generation=generation)
    return told


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
