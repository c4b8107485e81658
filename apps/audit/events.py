"""Recording what happened: one INSERT, in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.audit.models import Event, Outcome, Severity
from apps.core.requests import Caller

ANONYMOUS = "anonymous"
SYSTEM = "system"

# Events are read by many and kept for ever: a detail by one of these names, at any depth, is a mistake of ours.
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
    now: datetime,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
    customer_id: UUID | None = None,
    user_id: UUID | None = None,
    actor: str = ANONYMOUS,
    caller: Caller | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write the event. `actor`: "user:<id>", "operator:<email>", "api-key:<key id>", SYSTEM or ANONYMOUS.

    Raises ValueError when `details` would hold a secret.
    """
    facts = dict(details or {})
    if forbidden := sorted(_names(facts) & FORBIDDEN_DETAILS):
        raise ValueError(f"An event must not hold {forbidden}.")
    Event.objects.create(
        at=now,
        customer_id=customer_id,
        user_id=user_id,
        actor=actor[:200],
        action=action,
        outcome=outcome,
        severity=severity,
        ip=caller.ip if caller else None,
        user_agent=caller.user_agent if caller else "",
        request_id=caller.request_id if caller else "",
        details=facts,
    )


def _names(value: object) -> set[str]:
    """The names in a JSON document, at any depth."""
    if isinstance(value, Mapping):
        return {str(name).lower() for name in value}.union(*map(_names, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_names, value))
    return set()
