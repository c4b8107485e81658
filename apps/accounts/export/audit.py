"""What happened to the account."""

from typing import Any

from django.db.models import Q, QuerySet

from apps.accounts.export import proven_address
from apps.audit import refusals
from apps.audit.models import Event, Refusal
from apps.core import actors
from apps.core.times import rfc3339_or_none
from apps.users.models import User


def events_of(user: User) -> QuerySet[Event]:
    """Without what an unknown person did while the user had an address that was not proven: it may have been its owner."""
    found = Event.objects.of(user.customer_id).filter(user_id=user.id)
    by_known = ~Q(actor=actors.ANONYMOUS)
    if user.email_verified_at is None:
        return found.filter(by_known)
    return found.filter(by_known | Q(at__gte=proven_address.since(user)))


def event(row: Event) -> dict[str, Any]:
    """Address and browser only if they may be the user's: else they are the data of operators and servers."""
    is_others = row.user_id is None or row.actor not in (actors.user(row.user_id), actors.ANONYMOUS)
    return {
        "id": str(row.id),
        "at": rfc3339_or_none(row.at),
        "action": row.action,
        "outcome": row.outcome,
        "actor": "operator"
        if actors.is_operator(row.actor)
        else row.actor,  # an operator's name is not the user's data
        "ip": None if is_others else row.ip,
        "user_agent": "" if is_others else row.user_agent,
        "details": row.details,
    }


def refusals_of(user: User) -> QuerySet[Refusal]:
    """What was refused to the address, while it was the user's for sure."""
    mine = refusals.of_address(user.email_identity).of(user.customer_id).select_related("event")
    return proven_address.rows_since(mine, user, at="first_at")


def refusal(row: Refusal) -> dict[str, Any]:
    return {**event(row.event), "count": row.count, "last_at": rfc3339_or_none(row.last_at)}
