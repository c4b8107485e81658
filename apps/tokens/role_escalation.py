"""Attempts to do what only administrators may: a security event, at most once a minute for each user (contract 4, 8)."""

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core import valkey
from apps.core.context import RequestContext
from apps.users import user_events
from apps.users.state import UserState


def report(user: UserState, *, wanted: str, context: RequestContext) -> None:
    """Write the event: `wanted` is the role that the user lacks."""
    if not valkey.is_first_this_minute(user.customer_id, "reported", actions.ROLE_ESCALATION_ATTEMPT, str(user.id)):
        return
    user_events.record_own(
        actions.ROLE_ESCALATION_ATTEMPT,
        user,
        context,
        outcome=Outcome.DENIED,
        severity=Severity.HIGH,
        role=user.role,
        wanted=wanted,
    )
