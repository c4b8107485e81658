"""Audit events about users."""

from typing import Any

from apps.audit import events
from apps.audit.events import NewEvent
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core import actors
from apps.core.context import RequestContext
from apps.users.models import User
from apps.users.state import UserState


def record(
    action: str,
    user: User | UserState,
    context: RequestContext,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
    **details: Any,
) -> None:
    """Write down what was done to the user, or in the user's name."""
    events.write(about(action, user, context, outcome=outcome, severity=severity, **details))


def about(
    action: str,
    user: User | UserState,
    context: RequestContext,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
    **details: Any,
) -> NewEvent:
    """The same event, for a statement that writes it with something else."""
    return NewEvent(
        action=action,
        outcome=outcome,
        severity=severity,
        customer_id=user.customer_id,
        user_id=user.id,
        context=context,
        details=details,
    )


def of_own(action: str, user: User | UserState, context: RequestContext, **details: Any) -> NewEvent:
    """What the user did, for a statement that writes it with something else."""
    return about(action, user, context.by(actors.user(user.id)), **details)


def record_own(
    action: str,
    user: User | UserState,
    context: RequestContext,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
    **details: Any,
) -> None:
    """Write down what the user did."""
    own = context.by(actors.user(user.id))
    record(action, user, own, outcome=outcome, severity=severity, **details)


def own_refusal(
    action: str, user: User, context: RequestContext, *, rule: str, step: str, severity: Severity, **details: Any
) -> NewRefusal:
    """Something wrong that the user has given, to be written by `refusals`."""
    return NewRefusal(
        rule=rule,
        step=step,
        action=action,
        outcome=Outcome.FAILURE,
        severity=severity,
        customer_id=user.customer_id,
        user_id=user.id,
        address=user.email_identity,
        context=context.by(actors.user(user.id)),
        details=details,
    )
