"""Devices that a user has signed in from. The user is told of a new one by mail, unless it is the first of all."""

from uuid import UUID

from apps.audit import actions
from apps.audit.models import Severity
from apps.core.context import RequestContext
from apps.core.lookups import ValuesLookup
from apps.customers.state import CustomerState
from apps.signin.models import KnownDevice
from apps.tokens import devices
from apps.users import notices, user_events
from apps.users.models import User

LONGEST_NAME = 100
_NAMES: ValuesLookup[UUID] = ValuesLookup(lambda user_id: KnownDevice.objects.filter(user=user_id).values_list("name"))


def name_of(context: RequestContext) -> str:
    """Of the caller's device."""
    return devices.name_of(context.user_agent)[:LONGEST_NAME]


def note(user: User, *, customer: CustomerState, context: RequestContext) -> None:
    """Remember the caller's device, and tell the user of a new one. One statement if it is known."""
    name = name_of(context)
    known = {name for (name,) in _NAMES.all(user.id)}
    if name in known:
        return
    device = KnownDevice(user=user, name=name, first_seen_at=context.now)
    KnownDevice.objects.bulk_create([device], ignore_conflicts=True)
    if known:
        _tell(user, name, customer, context)


def _tell(user: User, device: str, customer: CustomerState, context: RequestContext) -> None:
    user_events.record_own(actions.NEW_DEVICE, user, context, severity=Severity.LOW, device=device)
    notices.post(
        notices.NEW_DEVICE,
        customer=customer,
        user=user,
        context=context,
        device=device,
        ip=context.ip or "",
        time=f"{context.now:%Y-%m-%d %H:%M} UTC",
    )
