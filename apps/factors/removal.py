"""Taking factors away: by their user, by an operator, or all at once."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.core.errors import NotFound
from apps.core.requests import Caller
from apps.customers.models import SecondFactorPolicy
from apps.customers.standing import CustomerStanding
from apps.factors import enrolled, phones, totp
from apps.factors.enrolled import PASSKEY, RECOVERY_CODE, SMS, TOTP, Enrolled
from apps.factors.errors import SecondFactorRequired
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users import notices
from apps.users.models import User

BOTH = {PASSKEY, SMS}


def remove_app(user: User, *, customer: CustomerStanding, actor: str, caller: Caller | None, now: datetime) -> None:
    """Take the authenticator app away. Raises NotFound or SecondFactorRequired."""
    _remove(user, TOTP, totp.NAME, lambda: _delete(Totp, user), customer, actor, caller, now)


def remove_phone(user: User, *, customer: CustomerStanding, actor: str, caller: Caller | None, now: datetime) -> None:
    """Take the number away. Raises NotFound or SecondFactorRequired."""
    _remove(user, SMS, phones.NAME, lambda: _delete(Phone, user), customer, actor, caller, now)


def remove_passkey(
    user: User, passkey_id: UUID, *, customer: CustomerStanding, actor: str, caller: Caller | None, now: datetime
) -> None:
    """Take one passkey away. Raises NotFound or SecondFactorRequired."""
    row = Passkey.objects.filter(user=user, id=passkey_id).first()
    if row is None:
        raise NotFound
    _remove(user, PASSKEY, row.name, lambda: row.delete()[0], customer, actor, caller, now)


def remove_recovery_codes(
    user: User, *, customer: CustomerStanding, actor: str, caller: Caller | None, now: datetime
) -> None:
    """Take all recovery codes away. Raises NotFound."""
    _remove(user, RECOVERY_CODE, "Recovery codes", lambda: _delete(RecoveryCode, user), customer, actor, caller, now)


def remove_all(user: User) -> None:
    """Every factor of the user, in the caller's transaction. Says nothing to anybody: whoever calls knows why."""
    for model in (Totp, Phone, Passkey, RecoveryCode):
        model.objects.filter(user=user).delete()


def remove_since(user: User, moment: datetime) -> None:
    """What has been enrolled since then, in the caller's transaction."""
    Totp.objects.filter(user=user, confirmed_at__gte=moment).delete()
    Phone.objects.filter(user=user, confirmed_at__gte=moment).delete()
    Passkey.objects.filter(user=user, created_at__gte=moment).delete()
    RecoveryCode.objects.filter(user=user, created_at__gte=moment).delete()


def _remove(
    user: User,
    factor: str,
    name: str,
    delete: Callable[[], int],
    customer: CustomerStanding,
    actor: str,
    caller: Caller | None,
    now: datetime,
) -> None:
    """Delete, and see whether what is left still does. An operator may take away more than a user may."""
    with transaction.atomic():
        User.objects.select_for_update().filter(id=user.id).first()  # of two removals at once, one sees the other
        before = enrolled.of(user.id)
        if not delete():
            raise NotFound
        left = enrolled.of(user.id)
        if actor == f"user:{user.id}" and _breaks(customer, before, left):
            raise SecondFactorRequired
        if not left.has_any:
            RecoveryCode.objects.filter(user=user).delete()  # they stand in for a factor, and there is none
        _announce(user, factor, name, customer, actor, caller, now)


def _breaks(customer: CustomerStanding, before: Enrolled, left: Enrolled) -> bool:
    """Whether the customer demands what was there and is not any more."""
    if customer.second_factor == SecondFactorPolicy.BOTH:
        return bool((BOTH & set(before.methods)) - set(left.methods))
    return customer.second_factor == SecondFactorPolicy.REQUIRED and before.has_any and not left.has_any


def _delete(model: type[Totp | Phone | RecoveryCode], user: User) -> int:
    return model._default_manager.filter(user=user).delete()[0]


def _announce(
    user: User,
    factor: str,
    name: str,
    customer: CustomerStanding,
    actor: str,
    caller: Caller | None,
    now: datetime,
) -> None:
    events.record(
        action=actions.FACTOR_REMOVED,
        customer_id=customer.id,
        user_id=user.id,
        actor=actor,
        caller=caller,
        details={"factor": factor, "name": name},
        now=now,
    )
    notices.post(notices.FACTOR_REMOVED, customer=customer, user=user, caller=caller, now=now, factor=name)
