"""The second factor of a sign-in: sent, enrolled on the way in, and given (contract 4, 2fa/send and 2fa/verify)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.api_keys.asking import Asking
from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits
from apps.core.requests import Caller
from apps.customers import limits
from apps.factors import passkeys, phones, recovery_codes, totp
from apps.factors.errors import InvalidPasskey
from apps.otp import redeeming, tries
from apps.otp.codes import Place
from apps.otp.errors import InvalidOtp
from apps.otp.purposes import SECOND_FACTOR_EMAIL, SECOND_FACTOR_SMS
from apps.otp.redeeming import Try
from apps.signin import challenges, factor_codes
from apps.signin.challenges import Challenged, Opened, SignedIn
from apps.signin.errors import MethodNotOffered
from apps.signin.requirements import EMAIL, PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.users import directory, emails


@dataclass(frozen=True)
class Asked:
    """What is asked for the challenge of `session_token`, by whom."""

    asking: Asking
    session_token: str = field(repr=False)
    method: str
    caller: Caller
    now: datetime


@dataclass(frozen=True)
class Given(Asked):
    """A second factor: a code, or a passkey's credential."""

    code: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Passed:
    """How the sign-in goes on, and the recovery codes made when a first factor was enrolled on the way in."""

    ended: SignedIn | Challenged
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def send(asked: Asked) -> Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey. Raises MethodNotOffered, RateLimited, QuotaExceeded."""
    opened = _open(asked)
    _require(asked.method in opened.missing.methods)
    if asked.method == PASSKEY:
        proven = opened.proven
        return passkeys.request_options(customer=proven.customer, user=proven.user)
    return factor_codes.send(opened, asked.method)


def enrol(asked: Asked, *, phone: str = "") -> Mapping[str, Any]:
    """Begin to enrol a factor that the customer demands and the user lacks; `verify` confirms it and goes on."""
    opened = _open(asked)
    _require(asked.method in opened.missing.enrol)
    user, customer = opened.proven.user, opened.proven.customer
    if asked.method == TOTP:
        return totp.begin(user, customer=customer, now=asked.now).document()
    if asked.method == SMS:
        return phones.begin(user, customer=customer, number=phone, caller=asked.caller, now=asked.now).document()
    return passkeys.creation_options(user, customer=customer)


def verify(given: Given) -> Passed:
    """Meet the challenge: a session, or the next challenge where two factors are demanded.

    Raises InvalidOtp or InvalidPasskey for whatever is wrong with what was given, InvalidToken once the challenge is
    used or its tries are spent, RateLimited, ValkeyUnavailable.
    """
    opened = _open(given)
    _limit(opened, given.method)
    challenges.count_try(opened.row.id)
    if given.method in opened.missing.methods:
        return _meet(opened, given)
    _require(given.method in opened.missing.enrol)
    return _confirm_enrolment(opened, given)


def _open(asked: Asked) -> Opened:
    return challenges.open_challenge(asked.session_token, asking=asked.asking, caller=asked.caller, now=asked.now)


def _require(offered: bool) -> None:  # noqa: FBT001  (reads as a sentence)
    if not offered:
        raise MethodNotOffered


def _limit(opened: Opened, method: str) -> None:
    """However many challenges somebody who knows the password opens: so many second factors of one user."""
    customer, user = opened.proven.customer, opened.proven.user
    if method in (
        TOTP,
        RECOVERY_CODE,
    ):  # codes that were sent are counted where they are redeemed; a passkey is no guess
        tries.hit_network(customer, opened.proven.caller)
    rate_limits.hit([limits.rule(customer.limit(limits.SECOND_FACTORS_PER_USER), customer.id, str(user.id))])


def _meet(opened: Opened, given: Given) -> Passed:
    """What lives in Valkey is used up before the transaction, what lives in PostgreSQL within it."""
    if given.method == PASSKEY:
        return _with_passkey(opened, given)
    if given.method in (EMAIL, SMS):
        return _with_sent_code(opened, given)
    check = {TOTP: totp.check, RECOVERY_CODE: recovery_codes.use}[given.method]
    return _with_kept_secret(opened, given, check)


def _with_passkey(opened: Opened, given: Given) -> Passed:
    customer, user = opened.proven.customer, opened.proven.user
    try:
        passkeys.check(
            customer=customer, credential=given.credential, caller=given.caller, now=given.now, user_id=user.id
        )
    except InvalidPasskey:
        _reject(opened, given)
        raise
    with transaction.atomic():
        return _go_on(opened, given)


def _with_sent_code(opened: Opened, given: Given) -> Passed:
    attempt = code_try(opened, given)
    redemption = redeeming.redeem(attempt, rules=())
    if redemption.message_id is None:
        redeeming.reject(attempt, redemption)
        _reject(opened, given)
        raise InvalidOtp
    with transaction.atomic():
        factor_codes.note_used(redemption.message_id, now=given.now)
        return _go_on(opened, given)


def code_try(opened: Opened, given: Given) -> Try:
    """A code that was sent for this challenge: worthless for any other."""
    purpose = SECOND_FACTOR_EMAIL if given.method == EMAIL else SECOND_FACTOR_SMS
    proven = opened.proven
    return Try(
        customer=proven.customer,
        address=emails.parse(proven.user.email),
        place=Place(proven.customer.id, str(opened.row.id), purpose),
        code=given.code,
        caller=given.caller,
        now=given.now,
    )


def _with_kept_secret(opened: Opened, given: Given, check: Callable[..., bool]) -> Passed:
    user = opened.proven.user
    with transaction.atomic():
        if check(user.id, given.code, now=given.now):
            return _go_on(opened, given)
    with transaction.atomic():
        directory.count_wrong_code(opened.proven.customer.id, user.email_identity)
        _reject(opened, given)
    raise InvalidOtp


def _confirm_enrolment(opened: Opened, given: Given) -> Passed:
    """The factor is enrolled and given in one step."""
    try:
        with transaction.atomic():
            return _go_on(opened, given, recovery_codes=_enrol(opened, given))
    except (InvalidOtp, InvalidPasskey):
        with transaction.atomic():  # what was counted within has been rolled back
            if given.method != PASSKEY:
                directory.count_wrong_code(opened.proven.customer.id, opened.proven.user.email_identity)
            _reject(opened, given)
        raise


def _enrol(opened: Opened, given: Given) -> tuple[str, ...]:
    user, customer, caller, now = opened.proven.user, opened.proven.customer, given.caller, given.now
    if given.method == TOTP:
        return totp.confirm(user, given.code, customer=customer, caller=caller, now=now)
    if given.method == SMS:
        return phones.confirm(user, given.code, customer=customer, caller=caller, now=now)
    enrolled = passkeys.enrol(user, customer=customer, credential=given.credential, name="", caller=caller, now=now)
    return enrolled.recovery_codes


def _go_on(opened: Opened, given: Given, *, recovery_codes: tuple[str, ...] = ()) -> Passed:
    """The challenge is used in the transaction that starts the session, so that of any number exactly one does."""
    challenges.use(opened.row.id, now=given.now)
    return Passed(challenges.proceed(opened.proven.having_passed(given.method)), recovery_codes)


def _reject(opened: Opened, given: Given) -> None:
    proven = opened.proven
    events.record(
        action=actions.SECOND_FACTOR_REJECTED,
        outcome=Outcome.FAILURE,
        severity=Severity.MEDIUM,
        customer_id=proven.customer.id,
        user_id=proven.user.id,
        caller=given.caller,
        details={"method": given.method, "first_factor": proven.first_factor},
        now=given.now,
    )
