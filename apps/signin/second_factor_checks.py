"""Checking a second factor that the user has, by its method."""

from dataclasses import replace

from apps.factors import passkeys, recovery_codes, totp
from apps.factors.errors import InvalidFactorCode, InvalidPasskey
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS
from apps.otp import code_attempts
from apps.otp.code_attempts import CodeAttempt, RightCode
from apps.otp.errors import InvalidOtp
from apps.signin import second_factor_attempts, second_factor_codes
from apps.signin.challenges import OpenChallenge
from apps.signin.requirements import EMAIL
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorResult
from apps.users import emails


def check(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    """Check a factor that the user has. What is kept in Valkey is used up before the transaction, the rest within it."""
    if attempt.method == PASSKEY:
        return _with_passkey(challenge, attempt)
    if attempt.method in (EMAIL, SMS):
        return _with_sent_code(challenge, attempt)
    return _with_recovery_code(challenge, attempt) if attempt.method == RECOVERY_CODE else _with_app(challenge, attempt)


def _with_passkey(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    customer, user = challenge.pending.customer, challenge.pending.user
    try:
        passkeys.check(customer=customer, credential=attempt.credential, context=attempt.context, user=user)
    except InvalidPasskey:
        second_factor_attempts.reject(challenge, attempt)
        raise
    with second_factor_attempts.completing(challenge, attempt):
        return second_factor_attempts.go_on(challenge, attempt)


def _with_sent_code(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    def accept(right: RightCode) -> SecondFactorResult:
        with second_factor_attempts.completing(challenge, attempt):
            right.use()
            return second_factor_attempts.go_on(challenge, attempt)

    try:
        return code_attempts.redeem(_code_attempt(challenge, attempt), accept, rules=())
    except InvalidOtp:
        second_factor_attempts.reject(challenge, attempt)
        raise


def _code_attempt(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> CodeAttempt:
    """A code that was sent for this challenge: worthless for any other."""
    pending = challenge.pending
    return CodeAttempt(
        customer=pending.customer,
        address=emails.parse(pending.user.email),
        code_set=second_factor_codes.code_set_of(challenge, attempt.method),
        code=attempt.code,
        context=attempt.context,
    )


def _with_app(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    with second_factor_attempts.completing(challenge, attempt):
        if totp.check(challenge.pending.user.id, attempt.code, now=attempt.context.now):
            return second_factor_attempts.go_on(challenge, attempt)
    second_factor_attempts.count_guess(challenge, attempt)
    raise InvalidFactorCode


def _with_recovery_code(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    with second_factor_attempts.completing(challenge, attempt):
        left = recovery_codes.spend(
            challenge.pending.user, attempt.code, customer=challenge.pending.customer, context=attempt.context
        )
        if left is not None:
            return replace(second_factor_attempts.go_on(challenge, attempt), recovery_codes_left=left)
    second_factor_attempts.count_guess(challenge, attempt)
    raise InvalidFactorCode
