"""Which devices a user signs in from. A new one is worth a mail, unless it is the first of all."""

from datetime import datetime

from apps.audit import actions, events
from apps.audit.models import Severity
from apps.core.requests import Caller
from apps.customers.state import CustomerState
from apps.signin.models import KnownDevice
from apps.tokens import devices
from apps.users import notices
from apps.users.models import User

LONGEST_NAME = 100


def note(user: User, *, customer: CustomerState, caller: Caller, now: datetime) -> None:
    """Remember the caller's device, and tell the user of a new one. One statement for a device that is known."""
    name = devices.name_of(caller.user_agent)[:LONGEST_NAME]
    known = set(KnownDevice.objects.filter(user=user).values_list("name", flat=True))
    if name in known:
        return
    device = KnownDevice(user=user, name=name, first_seen_at=now)
    KnownDevice.objects.bulk_create([device], ignore_conflicts=True)
    if known:
        _tell(user, name, customer, caller, now)


def _tell(user: User, device: str, customer: CustomerState, caller: Caller, now: datetime) -> None:
    events.record(
        action=actions.NEW_DEVICE,
        severity=Severity.LOW,
        customer_id=customer.id,
        user_id=user.id,
        actor=events.user(user.id),
        caller=caller,
        details={"device": device},
        now=now,
    )
    notices.post(
        notices.NEW_DEVICE,
        customer=customer,
        user=user,
        caller=caller,
        now=now,
        device=device,
        ip=caller.ip or "",
        time=f"{now:%Y-%m-%d %H:%M} UTC",
    )
