"""One attempt to meet a challenge by a second factor: how it ends, right or wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from apps.api_keys.clients import ApiClient
from apps.audit import actions, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.core.rate_limits import Hit
from apps.otp import attempt_limits, code_attempts
from apps.signin import challenges, completion
from apps.signin.challenges import Challenged, OpenChallenge
from apps.signin.completion import SignedIn
from apps.tokens.errors import InvalidToken, UserInactive
from apps.users import directory

WRONG_SECOND_FACTOR = "wrong_second_factor"


@dataclass(frozen=True)
class SecondFactorRequest:
    """Somebody wants to meet the challenge of `session_token` by this method."""

    client: ApiClient
    session_token: str = field(repr=False)
    method: str
    context: RequestContext


@dataclass(frozen=True)
class SecondFactorAttempt(SecondFactorRequest):
    """A second factor is given: a code, or a passkey's credential. `hits`: what this try has counted.

    `remember`: the user wants this browser not to be asked for it again for some days.
    """

    code: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)
    hits: tuple[Hit, ...] = ()
    remember: bool = False


@dataclass(frozen=True)
class SecondFactorResult:
    """How the sign-in goes on. `recovery_codes`: fresh ones, made with the first factor that was enrolled on the way in."""

    ended: SignedIn | Challenged
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)
    recovery_codes_left: int | None = None  # after one was used


@contextmanager
def completing(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> Iterator[None]:
    """The transaction in which a right factor is used and the sign-in goes on. If it fails through no fault of the caller's,
    the try does not count.

    The user is locked: changes of password or factors meanwhile come wholly before this, and void it, or wholly after.
    """
    uncounted = rate_limits.uncounted_if_it_fails(*attempt.hits)
    with uncounted, challenges.no_try_if_it_fails(challenge.row.id), transaction.atomic():
        user = directory.lock(challenge.pending.user.id)
        if user is None:
            raise UserInactive
        if user.credentials_version != challenge.row.credentials_version:
            raise InvalidToken
        yield


def go_on(
    challenge: OpenChallenge, attempt: SecondFactorAttempt, *, recovery_codes: tuple[str, ...] = ()
) -> SecondFactorResult:
    """Use the challenge in the transaction that starts the session: of many requests at once one succeeds."""
    challenges.use(challenge.row.id, now=attempt.context.now)
    pending = replace(challenge.pending.having_passed(attempt.method), remember=attempt.remember)
    return SecondFactorResult(completion.proceed(pending), recovery_codes)


def count_guess(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> None:
    """Count a wrong code for the customer and the user, and record it."""
    customer, user = challenge.pending.customer, challenge.pending.user
    if attempt_limits.note_guess(customer):
        code_attempts.sound_alarm(customer, context=attempt.context)
    with transaction.atomic():
        directory.count_wrong_second_factor(customer.id, user.email_identity)
        reject(challenge, attempt)


def reject(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> None:
    """Record that the factor was wrong."""
    pending = challenge.pending
    refusals.record(
        NewRefusal(
            rule=WRONG_SECOND_FACTOR,
            step=steps.GIVE_SECOND_FACTOR,
            action=actions.SECOND_FACTOR_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.MEDIUM,
            customer_id=pending.customer.id,
            user_id=pending.user.id,
            address=pending.user.email_identity,
            context=attempt.context,
            details={"method": attempt.method, "first_factor": pending.first_factor},
        )
    )
