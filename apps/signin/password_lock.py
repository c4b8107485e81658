"""The lock on a password: wrong ones are counted, and the fifth in a row closes it for half an hour (contract 4, login)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from apps.audit import actions, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.signin.models import FirstFactor, Password
from apps.users.emails import Address
from apps.users.models import User

MOST_WRONG = 5
LOCKED_FOR = timedelta(minutes=30)
LOCKED = "password_locked"  # as refusals name the rule


def is_locked(password: Password, now: datetime) -> bool:
    return password.locked_until is not None and password.locked_until > now


def is_open(now: datetime) -> Q:
    return Q(locked_until=None) | Q(locked_until__lte=now)


def open_again(user: User) -> None:
    """Forget the wrong passwords so far. In the caller's transaction, which has locked the user."""
    Password.objects.filter(user=user).update(locked_until=None, wrong_in_a_row=0, lock_told_at=None)


def count_wrong(
    customer: CustomerState, address: Address, user: User | None, *, rule: str, context: RequestContext
) -> None:
    """Count a wrong password and lock at the fifth in a row: two statements, whether or not there is such a user.

    `rule`: why the password does not open the account. `signin.tell_locked` tells the user of a lock, so that this request does
    the same work as any other.
    """
    with transaction.atomic():
        _count(customer, address, context)
        locks = user is not None and _locks(user, context.now)
        rejected = NewRefusal(
            rule=rule,
            step=steps.GIVE_PASSWORD,
            action=actions.PASSWORD_LOCKED if locks else actions.PASSWORD_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.MEDIUM if locks else Severity.LOW,
            customer_id=customer.id,
            user_id=user.id if user else None,
            address=address.identity,
            context=context,
            details={"method": FirstFactor.PASSWORD},
        )
        refusals.record(rejected)


def _count(customer: CustomerState, address: Address, context: RequestContext) -> None:
    unlocked = Password.objects.filter(
        is_open(context.now),
        user__customer_id=customer.id,
        user__email_identity=address.identity,
    )
    fifth = Q(wrong_in_a_row__gte=MOST_WRONG - 1)
    unlocked.update(
        locked_until=Case(When(fifth, then=Value(context.now + LOCKED_FOR)), default=None),
        lock_told_at=None,
        lock_sandbox_key_id=context.sandbox_key_id,
        wrong_in_a_row=Case(When(fifth, then=Value(0)), default=F("wrong_in_a_row") + 1),
    )


def _locks(user: User, now: datetime) -> bool:
    password: Password | None = getattr(user, "password", None)
    return password is not None and not is_locked(password, now) and password.wrong_in_a_row >= MOST_WRONG - 1
