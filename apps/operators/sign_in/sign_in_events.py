"""Audit events of operators' sign-ins and sign-outs. Django's signals tell of them."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors
from apps.core.requests import context_of

LONGEST_NAME = 150  # characters, as Django keeps of a user name


def connect() -> None:
    """Listen, once per process."""
    user_logged_in.connect(_signed_in, dispatch_uid="operators.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="operators.signed_out")
    user_login_failed.connect(_failed, dispatch_uid="operators.failed")


def _signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    record(actions.OPERATOR_SIGNED_IN, request, user.get_username(), Outcome.SUCCESS, Severity.INFO)


def _signed_out(request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        record(actions.OPERATOR_SIGNED_OUT, request, user.get_username(), Outcome.SUCCESS, Severity.INFO)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        name = str(credentials.get("username", ""))
        record(actions.OPERATOR_SIGN_IN_FAILED, request, name, Outcome.FAILURE, Severity.MEDIUM)


def record(action: str, request: HttpRequest, name: str, outcome: Outcome, severity: Severity, **details: str) -> None:
    """Write the event. Its actor is the name that was typed, which may be anything."""
    context = context_of(request).by(actors.operator(name.replace("\0", "")[:LONGEST_NAME]))
    events.record(action=action, outcome=outcome, severity=severity, details=details, context=context)
