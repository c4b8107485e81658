"""The second factor of a sign-in: sent, enrolled on the way in, and given (contract 4, 2fa/send and 2fa/verify)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.db import transaction

from apps.api_keys.clients import ApiClient
from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.core.rate_limits import Hit
from apps.factors import passkeys, phones, recovery_codes, totp
from apps.factors.errors import InvalidFactorCode, InvalidPasskey
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.otp import attempt_limits, code_attempts
from apps.otp.code_attempts import CodeAttempt, RightCode
from apps.otp.errors import InvalidOtp
from apps.signin import challenges, second_factor_codes
from apps.signin.challenges import Challenged, OpenChallenge, SignedIn
from apps.signin.errors import MethodNotOffered
from apps.signin.requirements import EMAIL
from apps.signin.second_factor_codes import SentCode
from apps.tokens.errors import InvalidToken, UserInactive
from apps.users import directory, emails


@dataclass(frozen=True)
class SecondFactorRequest:
    """Somebody wants to meet the challenge of `session_token` by this method."""

    client: ApiClient
    session_token: str = field(repr=False)
    method: str
    context: RequestContext


@dataclass(frozen=True)
class SecondFactorAttempt(SecondFactorRequest):
    """A second factor is given: a code, or a passkey's credential. `hits`: what this try has counted."""

    code: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class SecondFactorResult:
    """How the sign-in goes on. `recovery_codes`: fresh ones, made with the first factor that was enrolled on the way in."""

    ended: SignedIn | Challenged
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)
    recovery_codes_left: int | None = None  # after one was used


def send(request: SecondFactorRequest) -> SentCode | Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey.

    Raises MethodNotOffered, what `factor_codes.send` and what `challenges.open_challenge` raise.
    """
    challenge = _open(request)
    _require(request.method in challenge.missing.methods)
    if request.method == PASSKEY:
        pending = challenge.pending
        return passkeys.request_options(customer=pending.customer, user=pending.user, now=request.context.now)
    return second_factor_codes.send(challenge, request.method)


def enrol(request: SecondFactorRequest, *, phone: str = "") -> Mapping[str, Any]:
    """Begin to enrol a factor that the customer demands and the user lacks; `verify` confirms it and goes on.

    Raises MethodNotOffered, what beginning to enrol this factor and what `challenges.open_challenge` raise.
    """
    challenge = _open(request)
    _require(request.method in challenge.missing.enrol)
    user, customer = challenge.pending.user, challenge.pending.customer
    if request.method == TOTP:
        return totp.begin(user, customer=customer, now=request.context.now).document()
    if request.method == SMS:
        return phones.begin(user, customer=customer, number=phone, context=request.context).document()
    return passkeys.creation_options(user, customer=customer, now=request.context.now)


def verify(attempt: SecondFactorAttempt) -> SecondFactorResult:
    """Meet the challenge: a session, or the next challenge where two factors are demanded.

    Raises InvalidOtp or InvalidPasskey for whatever is wrong with what was given, InvalidToken once the challenge is
    used or its tries are spent, MethodNotOffered, RateLimited, ValkeyUnavailable, and what `challenges.open_challenge`
    raises.
    """
    challenge = _open(attempt)
    attempt = replace(attempt, hits=_limit(challenge, attempt.method))
    challenges.count_try(challenge.row.id)
    if attempt.method in challenge.missing.methods:
        return _meet(challenge, attempt)
    _require(attempt.method in challenge.missing.enrol)
    return _confirm_enrolment(challenge, attempt)


def _open(request: SecondFactorRequest) -> OpenChallenge:
    return challenges.open_challenge(request.session_token, client=request.client, context=request.context)


def _require(offered: bool) -> None:  # noqa: FBT001  (reads as a sentence)
    if not offered:
        raise MethodNotOffered


def _limit(challenge: OpenChallenge, method: str) -> tuple[Hit, ...]:
    """Count the try for the user, however many challenges were opened with the password. A passkey cannot be guessed."""
    if method == PASSKEY:
        return ()
    customer, user, context = challenge.pending.customer, challenge.pending.user, challenge.pending.context
    # A code that was sent is counted for the network where it is redeemed.
    network = (attempt_limits.hit_network(customer, context),) if method in (TOTP, RECOVERY_CODE) else ()
    return (*network, rate_limits.hit(attempt_limits.second_factor_rules(customer, user.id, context)))


def _meet(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
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
        _reject(challenge, attempt)
        raise
    with _transaction(challenge, attempt):
        return _go_on(challenge, attempt)


def _with_sent_code(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    def accept(right: RightCode) -> SecondFactorResult:
        with _transaction(challenge, attempt):
            right.use()
            return _go_on(challenge, attempt)

    try:
        return code_attempts.redeem(_code_attempt(challenge, attempt), accept, rules=())
    except InvalidOtp:
        _reject(challenge, attempt)
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
    with _transaction(challenge, attempt):
        if totp.check(challenge.pending.user.id, attempt.code, now=attempt.context.now):
            return _go_on(challenge, attempt)
    _count_guess(challenge, attempt)
    raise InvalidFactorCode


def _with_recovery_code(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    with _transaction(challenge, attempt):
        left = recovery_codes.spend(
            challenge.pending.user, attempt.code, customer=challenge.pending.customer, context=attempt.context
        )
        if left is not None:
            return replace(_go_on(challenge, attempt), recovery_codes_left=left)
    _count_guess(challenge, attempt)
    raise InvalidFactorCode


def _confirm_enrolment(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    """Enrol a factor and count it as given, in one step."""
    try:
        return _enrolled(challenge, attempt)
    except InvalidOtp:
        if attempt.method == TOTP:  # an SMS is counted where it is redeemed
            _count_guess(challenge, attempt)
        else:
            _reject(challenge, attempt)
        raise
    except InvalidPasskey:
        _reject(challenge, attempt)
        raise


def _enrolled(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> SecondFactorResult:
    user, customer, context = challenge.pending.user, challenge.pending.customer, attempt.context

    def finish(enrol: Callable[[], tuple[str, ...]]) -> SecondFactorResult:
        with _transaction(challenge, attempt):
            return _go_on(challenge, attempt, recovery_codes=enrol())

    if attempt.method == TOTP:
        return finish(lambda: totp.keep(user, attempt.code, customer=customer, context=context))
    if attempt.method == SMS:
        keep = partial(phones.keep, user, customer=customer, context=context)
        return phones.prove(
            user, attempt.code, lambda pending: finish(lambda: keep(pending)), customer=customer, context=context
        )
    enrol = partial(passkeys.enrol, user, customer=customer, context=context)
    return finish(lambda: enrol(credential=attempt.credential, name="").recovery_codes)


@contextmanager
def _transaction(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> Iterator[None]:
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


def _go_on(
    challenge: OpenChallenge, attempt: SecondFactorAttempt, *, recovery_codes: tuple[str, ...] = ()
) -> SecondFactorResult:
    """Use the challenge in the transaction that starts the session: of many requests at once one succeeds."""
    challenges.use(challenge.row.id, now=attempt.context.now)
    return SecondFactorResult(challenges.proceed(challenge.pending.having_passed(attempt.method)), recovery_codes)


def _count_guess(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> None:
    customer, user = challenge.pending.customer, challenge.pending.user
    if attempt_limits.note_guess(customer):
        code_attempts.sound_alarm(customer, context=attempt.context)
    with transaction.atomic():
        directory.count_wrong_second_factor(customer.id, user.email_identity)
        _reject(challenge, attempt)


def _reject(challenge: OpenChallenge, attempt: SecondFactorAttempt) -> None:
    pending = challenge.pending
    events.record(
        action=actions.SECOND_FACTOR_REJECTED,
        outcome=Outcome.FAILURE,
        severity=Severity.MEDIUM,
        customer_id=pending.customer.id,
        user_id=pending.user.id,
        context=attempt.context,
        details={"method": attempt.method, "first_factor": pending.first_factor},
    )
