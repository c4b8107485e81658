"""Attempts to do what only administrators may: a security event, at most once a minute for each user (contract 4, 8)."""

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors, valkey
from apps.core.context import RequestContext
from apps.users.state import UserState


def report(user: UserState, *, wanted: str, context: RequestContext) -> None:
    """Write the event: `wanted` is the role that the user lacks."""
    if not valkey.is_first_this_minute(user.customer_id, "reported", actions.ROLE_ESCALATION_ATTEMPT, str(user.id)):
        return
    events.record(
        action=actions.ROLE_ESCALATION_ATTEMPT,
        outcome=Outcome.DENIED,
        severity=Severity.HIGH,
        customer_id=user.customer_id,
        user_id=user.id,
        context=context.by(actors.user(user.id)),
        details={"role": user.role, "wanted": wanted},
    )
