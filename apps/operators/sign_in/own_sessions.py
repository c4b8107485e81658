"""The page on which operators see where they are signed in, and end what they do not know."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.audit import actions, events
from apps.core.requests import context_of
from apps.operators.context import context_of_operator, operator_of
from apps.operators.models import OperatorSession
from apps.operators.sign_in import session_store
from apps.tokens import devices

OTHERS = "others"


def connect() -> None:
    """Listen, once per process."""
    user_logged_in.connect(_signed_in, dispatch_uid="operators.own_sessions")


def _signed_in(request: HttpRequest, **_: Any) -> None:
    session_store.of(request).begin(context_of(request))


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The list; a POST ends one session, or all others. `context` is the admin site's."""
    if request.method == "POST":
        return _end(request, request.POST.get("session", ""))
    own = session_store.own_row_key(request)
    rows = [
        {"row": row, "device": devices.name_of(row.user_agent), "is_current": row.session_key == own}
        for row in _of(operator_of(request)).order_by("-last_seen_at")
    ]
    facts = {**context, "title": _("Your sessions"), "sessions": rows, "others": OTHERS}
    return TemplateResponse(request, "operators/own_sessions.html", facts, headers={"Cache-Control": "no-store"})


def _end(request: HttpRequest, which: str) -> HttpResponse:
    own = session_store.own_row_key(request)
    others = _of(operator_of(request)).exclude(session_key=own)
    ended = _end_these(others if which == OTHERS else others.filter(session_key=which))
    if ended:
        events.record(
            action=actions.OPERATOR_SESSIONS_ENDED, details={"count": ended}, context=context_of_operator(request)
        )
    messages.success(request, ngettext("%d session has ended.", "%d sessions have ended.", ended) % ended)
    return HttpResponseRedirect(request.path)


def end_all_of(operator: User) -> int:
    """End every session of this operator, in the caller's transaction. Returns how many."""
    return _end_these(OperatorSession.objects.filter(operator=operator))


def end_others(request: HttpRequest) -> int:
    """End every session of this operator but the one of the request. Returns how many."""
    own = session_store.own_row_key(request)
    return _end_these(OperatorSession.objects.filter(operator=operator_of(request)).exclude(session_key=own))


def _end_these(sessions: "QuerySet[OperatorSession]") -> int:
    return sessions.delete()[0]


def _of(operator: User) -> "QuerySet[OperatorSession]":
    return session_store.alive().filter(operator=operator)
