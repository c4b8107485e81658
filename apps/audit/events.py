"""Recording what happened, by one INSERT in the present transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.audit import actions
from apps.audit.models import Event, Outcome, Severity
from apps.core.context import RequestContext

# Many people read events, and they are kept for ever: a detail with one of these names, at any depth, is a bug.
FORBIDDEN_DETAILS = frozenset(
    {
        "access_token",
        "api_key",
        "authorization",
        "code",
        "cookie",
        "digest",
        "jwt",
        "key",
        "otp",
        "password",
        "payload_key",
        "refresh_token",
        "secret",
        "session_token",
        "token",
    }
)


def record(
    *,
    action: str,
    context: RequestContext,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
    customer_id: UUID | None = None,
    user_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write the event of what `context` says who did, where, and when. `action`: one of `actions`.

    Raises ValueError for an action that is not listed, and if `details` would hold a secret: both are bugs.
    """
    if action not in actions.ALL:
        raise ValueError(f"{action!r} is not one of apps.audit.actions.")
    facts = dict(details or {})
    if forbidden := sorted(_names(facts) & FORBIDDEN_DETAILS):
        raise ValueError(f"An event must not hold {forbidden}.")
    Event.objects.create(
        at=context.now,
        customer_id=customer_id,
        user_id=user_id,
        actor=context.actor[:200],
        action=action,
        outcome=outcome,
        severity=severity,
        ip=context.ip,
        user_agent=context.user_agent,
        request_id=context.request_id,
        details=facts,
    )


def _names(value: object) -> set[str]:
    """The names in a JSON document, at any depth."""
    if isinstance(value, Mapping):
        return {str(name).lower() for name in value}.union(*map(_names, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_names, value))
    return set()
