"""Signing in by a passkey alone. The device has verified its user, so this is two factors in one (contract 4)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit import actions, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors import ceremonies, passkeys
from apps.factors.errors import InvalidPasskey
from apps.factors.methods import PASSKEY
from apps.payloads.errors import ReplayedRequest
from apps.signin import completion
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.models import FirstFactor
from apps.signin.pending_sign_in import PendingSignIn
from apps.users import directory
from apps.users.models import UserStatus


@dataclass(frozen=True)
class PasskeySignIn:
    """Somebody signs in by a credential, as `navigator.credentials.get()` gave it."""

    customer: CustomerState
    credential: Any = field(repr=False)
    delivery: str
    context: RequestContext
    device_tokens: tuple[str, ...] = field(default=(), repr=False)  # of browsers that are remembered


def options(customer: CustomerState, *, now: datetime) -> dict[str, Any]:
    """What to ask the browser for: any passkey of this site. Says nothing about any account. Raises ValkeyUnavailable."""
    return passkeys.request_options(customer=customer, user=None, now=now)


def sign_in(attempt: PasskeySignIn) -> SignedIn | Challenged:
    """Sign in by passkey. Raises InvalidPasskey (whatever is wrong with it) or ValkeyUnavailable.

    There is no limit on tries: nobody can guess a signature.
    """
    try:
        with refusals.recorded(steps.GIVE_PASSKEY, attempt.context, customer_id=attempt.customer.id):
            return _sign_in(attempt)
    except InvalidPasskey as error:
        _report(attempt, error.refused_by)
        raise
    except ReplayedRequest as error:  # what the passkey has signed was used before
        _report(attempt, error.refused_by)
        raise InvalidPasskey from error


def _sign_in(attempt: PasskeySignIn) -> SignedIn | Challenged:
    passkey = passkeys.check(customer=attempt.customer, credential=attempt.credential, context=attempt.context)
    with transaction.atomic():
        user = directory.lock(passkey.user_id)
        if user is None or user.status == UserStatus.DEACTIVATED:
            raise InvalidPasskey
        if user.credentials_version != passkey.user.credentials_version:  # changed meanwhile
            raise InvalidPasskey
        return completion.proceed(
            PendingSignIn(
                customer=attempt.customer,
                user=user,
                first_factor=FirstFactor.PASSKEY,
                delivery=attempt.delivery,
                context=replace(attempt.context, request_mark=ceremonies.mark(attempt.customer.id, attempt.credential)),
                passed=(PASSKEY,),
                device_tokens=attempt.device_tokens,
            )
        )


def _report(attempt: PasskeySignIn, rule: str) -> None:
    refusals.record(
        NewRefusal(
            rule=rule,
            step=steps.GIVE_PASSKEY,
            action=actions.PASSKEY_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.LOW,
            customer_id=attempt.customer.id,
            context=attempt.context,
        )
    )
