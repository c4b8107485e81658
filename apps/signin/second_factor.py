"""The second factor of a sign-in: sent, enrolled on the way in, and given (contract 4, 2fa/send and 2fa/verify)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from apps.audit import refusals, steps
from apps.core import rate_limits
from apps.core.rate_limits import Hit
from apps.factors import passkeys
from apps.factors.methods import PASSKEY, RECOVERY_CODE, TOTP
from apps.otp import attempt_limits
from apps.signin import (
    challenges,
    second_factor_checks,
    second_factor_codes,
    second_factor_enrolment,
)
from apps.signin.challenges import OpenChallenge
from apps.signin.errors import MethodNotOffered
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest, SecondFactorResult
from apps.signin.second_factor_codes import SentCode


def send(request: SecondFactorRequest) -> SentCode | Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey.

    Raises MethodNotOffered, what `second_factor_codes.send` and what `challenges.open_challenge` raise.
    """
    challenge = _open(request, steps.ASK_FOR_SECOND_FACTOR)
    with _recorded(challenge, steps.ASK_FOR_SECOND_FACTOR):
        return _send(challenge, request)


def _send(challenge: OpenChallenge, request: SecondFactorRequest) -> SentCode | Mapping[str, Any]:
    _require(request.method in challenge.missing.methods)
    if request.method == PASSKEY:
        pending = challenge.pending
        return passkeys.request_options(customer=pending.customer, user=pending.user, now=request.context.now)
    return second_factor_codes.send(challenge, request.method)


def enrol(request: SecondFactorRequest, *, phone: str = "") -> Mapping[str, Any]:
    """Begin to enrol a factor that the customer demands and the user lacks; `verify` confirms it and goes on.

    Raises MethodNotOffered, what beginning to enrol this factor and what `challenges.open_challenge` raise.
    """
    challenge = _open(request, steps.ENROL_FACTOR)
    _require(request.method in challenge.missing.enrol)
    with _recorded(challenge, steps.ENROL_FACTOR):
        return second_factor_enrolment.begin(challenge, request, phone=phone)


def verify(attempt: SecondFactorAttempt) -> SecondFactorResult:
    """Meet the challenge: a session, or the next challenge where two factors are demanded.

    Raises InvalidOtp or InvalidPasskey for whatever is wrong with what was given, InvalidToken once the challenge is
    used or its tries are spent, MethodNotOffered, RateLimited, ValkeyUnavailable, and what `challenges.open_challenge`
    raises.
    """
    challenge = _open(attempt, steps.GIVE_SECOND_FACTOR)
    with _recorded(challenge, steps.GIVE_SECOND_FACTOR):
        return _verify(challenge, attempt)


def _verify(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    attempt = replace(attempt, hits=_limit(challenge, attempt.method))
    challenges.count_try(challenge.row.id)
    if attempt.method in challenge.missing.methods:
        return second_factor_checks.check(challenge, attempt)
    _require(attempt.method in challenge.missing.enrol)
    return second_factor_enrolment.confirm(challenge, attempt)


def _open(request: SecondFactorRequest, step: str) -> OpenChallenge:
    with refusals.recorded(step, request.context, customer_id=request.client.customer.id):
        return challenges.open_challenge(request.session_token, client=request.client, context=request.context)


def _recorded(challenge: OpenChallenge, step: str) -> AbstractContextManager[None]:
    """Refusals of a user who has given a first factor."""
    pending = challenge.pending
    return refusals.recorded(
        step,
        pending.context,
        customer_id=pending.customer.id,
        user_id=pending.user.id,
        address=pending.user.email_identity,
    )


def _require(offered: bool) -> None:  # noqa: FBT001  (reads as a sentence)
    if not offered:
        raise MethodNotOffered


def _limit(challenge: OpenChallenge, method: str) -> tuple[Hit, ...]:
    """Count the try for the user, however many challenges were opened with the password. A passkey cannot be guessed."""
    if method == PASSKEY:
        return ()
    customer, user, context = challenge.pending.customer, challenge.pending.user, challenge.pending.context
    rules = attempt_limits.second_factor_rules(customer, user.id, context)
    if method not in (TOTP, RECOVERY_CODE):  # a code that was sent is counted for the network where it is redeemed
        return (rate_limits.hit(rules),)
    return rate_limits.hit_in_turn(attempt_limits.of_network(customer, context), rules)
