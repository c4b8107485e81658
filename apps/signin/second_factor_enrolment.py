"""Enrolling a second factor on the way in, where the customer demands one and the user has none."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from apps.factors import passkey_enrolment, phones, totp
from apps.factors.errors import InvalidPasskey
from apps.factors.methods import SMS, TOTP
from apps.otp.errors import InvalidOtp
from apps.signin import second_factor_attempts
from apps.signin.challenges import OpenChallenge
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest, SecondFactorResult


def begin(challenge: OpenChallenge, request: SecondFactorRequest, *, phone: str) -> Mapping[str, Any]:
    """What the user needs to enrol the factor: a secret, a code on its way, or options for the browser."""
    user, customer = challenge.pending.user, challenge.pending.customer
    if request.method == TOTP:
        return totp.begin(user, customer=customer, now=request.context.now).document()
    if request.method == SMS:
        return phones.begin(user, customer=customer, number=phone, context=request.context).document()
    return passkey_enrolment.creation_options(user, customer=customer, now=request.context.now)


def confirm(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    """Enrol a factor and count it as given, in one step."""
    try:
        return _enrolled(challenge, attempt)
    except InvalidOtp:
        if attempt.method == TOTP:  # an SMS is counted where it is redeemed
            second_factor_attempts.count_guess(challenge, attempt)
        else:
            second_factor_attempts.reject(challenge, attempt)
        raise
    except InvalidPasskey:
        second_factor_attempts.reject(challenge, attempt)
        raise


def _enrolled(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    user, customer, context = challenge.pending.user, challenge.pending.customer, attempt.context

    def finish(enrol: Callable[[], tuple[str, ...]]) -> SecondFactorResult:
        with second_factor_attempts.completing(challenge, attempt):
            return second_factor_attempts.go_on(challenge, attempt, recovery_codes=enrol())

    if attempt.method == TOTP:
        return finish(lambda: totp.keep(user, attempt.code, customer=customer, context=context))
    if attempt.method == SMS:
        keep = partial(phones.keep, user, customer=customer, context=context)
        return phones.prove(
            user, attempt.code, lambda pending: finish(lambda: keep(pending)), customer=customer, context=context
        )
    enrol = partial(passkey_enrolment.enrol, user, customer=customer, context=context)
    return finish(lambda: enrol(credential=attempt.credential, name="").recovery_codes)
