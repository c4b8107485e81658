"""Recording what happened, by one INSERT in the caller's transaction; and how events name the actor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.audit import actions
from apps.audit.models import Event, Outcome, Severity
from apps.core.requests import Caller

ANONYMOUS = "anonymous"
SYSTEM = "system"

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


def user(user_id: UUID) -> str:
    """An end user as actor."""
    return f"user:{user_id}"


def operator(name: str) -> str:
    """An operator as actor: the name of the account, an address as a rule."""
    return f"operator:{name}"


def api_key(key_id: str) -> str:
    """A customer's server as actor: the id of its key."""
    return f"api-key:{key_id}"


def identity_check(check_id: UUID) -> str:
    """A customer's outside identity check as actor: the check that it answered."""
    return f"identity-check:{check_id}"


def is_operator(actor: str) -> bool:
    """Whether an operator did it."""
    return actor.startswith(operator(""))


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
    """Write the event. `action`: one of `actions`. `actor`: as the functions above name it, SYSTEM or ANONYMOUS.

    Raises ValueError for an action that is not listed, and if `details` would hold a secret: both are bugs.
    """
    if action not in actions.ALL:
        raise ValueError(f"{action!r} is not one of apps.audit.actions.")
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
