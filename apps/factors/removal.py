"""Removing factors: by their user, by an operator, or all at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit import actions
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers.policy import SecondFactorPolicy
from apps.customers.state import CustomerState
from apps.factors import enrolled, phones, recovery_codes, totp
from apps.factors.enrolled import Enrolled
from apps.factors.errors import SecondFactorRequired
from apps.factors.methods import BOTH, PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users import credentials, directory, notices, user_events
from apps.users.models import User


@dataclass(frozen=True)
class Removal:
    """A factor of this user's is to be removed. `may_break_policy`: operators may remove what the customer demands; users not."""

    user: User
    customer: CustomerState
    context: RequestContext
    may_break_policy: bool = False


def remove_app(removal: Removal) -> None:
    """Remove the authenticator app. Raises NotFound or SecondFactorRequired."""
    _remove(removal, TOTP, totp.NAME, lambda: _delete(Totp, removal.user))


def remove_phone(removal: Removal) -> None:
    """Remove the phone number. Raises NotFound or SecondFactorRequired."""
    _remove(removal, SMS, phones.NAME, lambda: _delete(Phone, removal.user))


def remove_passkey(removal: Removal, passkey_id: UUID) -> None:
    """Remove one passkey. Raises NotFound or SecondFactorRequired."""
    row = Passkey.objects.filter(user=removal.user, id=passkey_id).first()
    if row is None:
        raise NotFound
    _remove(removal, PASSKEY, row.name, lambda: row.delete()[0])


def remove_recovery_codes(removal: Removal) -> None:
    """Remove all recovery codes. Raises NotFound."""
    _remove(removal, RECOVERY_CODE, recovery_codes.NAME, lambda: _delete(RecoveryCode, removal.user))


def remove_all(user: User) -> None:
    """Remove every factor of the user, in the caller's transaction. Records nothing: the flow that calls it does."""
    for model in (Totp, Phone, Passkey, RecoveryCode):
        model.objects.filter(user=user).delete()


def remove_since(user: User, moment: datetime) -> None:
    """Remove what has been enrolled since then, in the caller's transaction."""
    Totp.objects.filter(user=user, confirmed_at__gte=moment).delete()
    Phone.objects.filter(user=user, confirmed_at__gte=moment).delete()
    Passkey.objects.filter(user=user, created_at__gte=moment).delete()
    RecoveryCode.objects.filter(user=user, created_at__gte=moment).delete()


def _remove(removal: Removal, factor: str, name: str, delete: Callable[[], int]) -> None:
    """Delete the factor. Refuse if what is left no longer meets the customer's policy."""
    user = removal.user
    with transaction.atomic():
        directory.lock(user.id)  # of two removals at once, the second sees the first
        before = enrolled.of(user.id)
        if not delete():
            raise NotFound
        left = enrolled.of(user.id)
        if not removal.may_break_policy and _breaks(removal.customer, before, left):
            raise SecondFactorRequired
        if not left.has_any:
            RecoveryCode.objects.filter(user=user).delete()  # they replace a factor, and there is none
        if factor in before.held:  # one that was never confirmed has never counted
            credentials.change(user, now=removal.context.now)
            _announce(removal, factor, name)


def _breaks(customer: CustomerState, before: Enrolled, left: Enrolled) -> bool:
    """Whether something is gone that the customer demands."""
    if customer.second_factor == SecondFactorPolicy.BOTH:
        return bool((set(BOTH) & set(before.methods)) - set(left.methods))
    return customer.second_factor == SecondFactorPolicy.REQUIRED and before.has_usable and not left.has_usable


def _delete(model: type[Totp | Phone | RecoveryCode], user: User) -> int:
    return model._default_manager.filter(user=user).delete()[0]


def _announce(removal: Removal, factor: str, name: str) -> None:
    user, customer, context = removal.user, removal.customer, removal.context
    user_events.record(actions.FACTOR_REMOVED, user, context, factor=factor, name=name)
    notices.post(notices.FACTOR_REMOVED, customer=customer, user=user, context=context, factor=name)
