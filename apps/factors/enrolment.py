"""What enrolling any factor has in common."""

from typing import Any

from django.db import transaction

from apps.audit import actions, refusals, steps
from apps.audit.models import Severity
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.core.rate_limits import Hit
from apps.customers.state import CustomerState
from apps.factors import enrolled, methods, recovery_codes
from apps.factors.errors import NoSecondFactor
from apps.otp import attempt_limits
from apps.users import credentials, directory, notices, user_events
from apps.users.models import User

WRONG_FIRST_CODE = "wrong_first_code"


def count_try(user: User, *, customer: CustomerState) -> Hit:
    """Count a try at a first code, with those at sign-in. Raises RateLimited or ValkeyUnavailable."""
    return rate_limits.hit([attempt_limits.per_user(customer, user.id)])


def note_wrong(user: User, *, factor: str, customer: CustomerState, context: RequestContext) -> None:
    """Count a wrong first code for the account, like one at sign-in. Not to be called within a transaction."""
    with transaction.atomic():
        directory.count_wrong_second_factor(customer.id, user.email_identity)
        refusals.record(
            user_events.own_refusal(
                actions.SECOND_FACTOR_REJECTED,
                user,
                context,
                rule=WRONG_FIRST_CODE,
                step=steps.ENROL_FACTOR,
                severity=Severity.LOW,
                method=factor,
                enrolling=True,
            )
        )


def complete(
    user: User,
    *,
    factor: str,
    name: str,
    customer: CustomerState,
    context: RequestContext,
    **details: Any,
) -> tuple[str, ...]:
    """Record the new factor, tell the user by mail, and make recovery codes for a user who has none.

    In the caller's transaction.
    """
    directory.mark_changed(user.id)  # from its commit on no sign-in goes without a factor that it has not seen
    user_events.record_own(actions.FACTOR_ENROLLED, user, context, factor=factor, **details)
    notices.post(notices.FACTOR_ADDED, customer=customer, user=user, context=context, factor=name)
    return recovery_codes.make_if_none(user, now=context.now)


def make_recovery_codes(user: User, *, customer: CustomerState, context: RequestContext) -> tuple[str, ...]:
    """Ten fresh recovery codes; the old ones are worthless from now on. Raises NoSecondFactor.

    They replace a factor. If they could be made before there is one, a thief could keep them for later.
    """
    with transaction.atomic():
        directory.lock(user.id)
        found = enrolled.of(user.id)
        if not found.has_any:
            raise NoSecondFactor
        if methods.RECOVERY_CODE in found.methods:  # the old ones are taken away
            credentials.change(user, now=context.now)
        codes = recovery_codes.make(user, now=context.now)
        user_events.record_own(actions.RECOVERY_CODES_MADE, user, context)
        notices.post(notices.FACTOR_ADDED, customer=customer, user=user, context=context, factor=recovery_codes.NAME)
    return codes


def replace_recovery_codes(
    user: User, *, edition: str, customer: CustomerState, context: RequestContext
) -> tuple[str, ...] | None:
    """The same for a form that was shown while the user had the codes of this edition. None if there are newer ones.

    So a form that is sent again, by a reload or a second click, makes no others: those just written down stay good.
    Raises NoSecondFactor.
    """
    with transaction.atomic():
        directory.lock(user.id)
        if recovery_codes.edition(user.id) != edition:
            return None
        return make_recovery_codes(user, customer=customer, context=context)
