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
from apps.otp import redeeming, tries
from apps.otp.errors import InvalidOtp
from apps.otp.redeeming import RightCode, Try
from apps.signin import challenges, factor_codes
from apps.signin.challenges import Challenged, Opened, SignedIn
from apps.signin.errors import MethodNotOffered
from apps.signin.factor_codes import Sent
from apps.signin.requirements import EMAIL
from apps.tokens.errors import InvalidToken, UserInactive
from apps.users import directory, emails


@dataclass(frozen=True)
class Asked:
    """What is asked for the challenge of `session_token`, by whom."""

    client: ApiClient
    session_token: str = field(repr=False)
    method: str
    context: RequestContext


@dataclass(frozen=True)
class Given(Asked):
    """A second factor: a code, or a passkey's credential. `hits`: what this try has counted."""

    code: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Passed:
    """How the sign-in goes on; the recovery codes made when a first factor was enrolled on the way in, or those left."""

    ended: SignedIn | Challenged
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)
    recovery_codes_left: int | None = None  # after one was used


def send(asked: Asked) -> Sent | Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey.

    Raises MethodNotOffered, what `factor_codes.send` and what `challenges.open_challenge` raise.
    """
    opened = _open(asked)
    _require(asked.method in opened.missing.methods)
    if asked.method == PASSKEY:
        proven = opened.proven
        return passkeys.request_options(customer=proven.customer, user=proven.user, now=asked.context.now)
    return factor_codes.send(opened, asked.method)


def enrol(asked: Asked, *, phone: str = "") -> Mapping[str, Any]:
    """Begin to enrol a factor that the customer demands and the user lacks; `verify` confirms it and goes on.

    Raises MethodNotOffered, what beginning to enrol this factor and what `challenges.open_challenge` raise.
    """
    opened = _open(asked)
    _require(asked.method in opened.missing.enrol)
    user, customer = opened.proven.user, opened.proven.customer
    if asked.method == TOTP:
        return totp.begin(user, customer=customer, now=asked.context.now).document()
    if asked.method == SMS:
        return phones.begin(user, customer=customer, number=phone, context=asked.context).document()
    return passkeys.creation_options(user, customer=customer, now=asked.context.now)


def verify(given: Given) -> Passed:
    """Meet the challenge: a session, or the next challenge where two factors are demanded.

    Raises InvalidOtp or InvalidPasskey for whatever is wrong with what was given, InvalidToken once the challenge is
    used or its tries are spent, MethodNotOffered, RateLimited, ValkeyUnavailable, and what `challenges.open_challenge`
    raises.
    """
    opened = _open(given)
    given = replace(given, hits=_limit(opened, given.method))
    challenges.count_try(opened.row.id)
    if given.method in opened.missing.methods:
        return _meet(opened, given)
    _require(given.method in opened.missing.enrol)
    return _confirm_enrolment(opened, given)


def _open(asked: Asked) -> Opened:
    return challenges.open_challenge(asked.session_token, client=asked.client, context=asked.context)


def _require(offered: bool) -> None:  # noqa: FBT001  (reads as a sentence)
    if not offered:
        raise MethodNotOffered


def _limit(opened: Opened, method: str) -> tuple[Hit, ...]:
    """However many challenges somebody who knows the password opens: so many codes are tried. A passkey is no guess."""
    if method == PASSKEY:
        return ()
    customer, user, context = opened.proven.customer, opened.proven.user, opened.proven.context
    # A code that was sent is counted for the network where it is redeemed.
    network = (tries.hit_network(customer, context),) if method in (TOTP, RECOVERY_CODE) else ()
    return (*network, rate_limits.hit(tries.second_factor_rules(customer, user.id, context)))


def _meet(opened: Opened, given: Given) -> Passed:
    """What lives in Valkey is used up before the transaction, what lives in PostgreSQL within it."""
    if given.method == PASSKEY:
        return _with_passkey(opened, given)
    if given.method in (EMAIL, SMS):
        return _with_sent_code(opened, given)
    return _with_recovery_code(opened, given) if given.method == RECOVERY_CODE else _with_app(opened, given)


def _with_passkey(opened: Opened, given: Given) -> Passed:
    customer, user = opened.proven.customer, opened.proven.user
    try:
        passkeys.check(customer=customer, credential=given.credential, context=given.context, user=user)
    except InvalidPasskey:
        _reject(opened, given)
        raise
    with _transaction(opened, given):
        return _go_on(opened, given)


def _with_sent_code(opened: Opened, given: Given) -> Passed:
    def accept(right: RightCode) -> Passed:
        with _transaction(opened, given):
            right.use()
            return _go_on(opened, given)

    try:
        return redeeming.redeem(_code_try(opened, given), accept, rules=())
    except InvalidOtp:
        _reject(opened, given)
        raise


def _code_try(opened: Opened, given: Given) -> Try:
    """A code that was sent for this challenge: worthless for any other."""
    proven = opened.proven
    return Try(
        customer=proven.customer,
        address=emails.parse(proven.user.email),
        place=factor_codes.place_of(opened, given.method),
        code=given.code,
        context=given.context,
    )


def _with_app(opened: Opened, given: Given) -> Passed:
    with _transaction(opened, given):
        if totp.check(opened.proven.user.id, given.code, now=given.context.now):
            return _go_on(opened, given)
    _count_guess(opened, given)
    raise InvalidFactorCode


def _with_recovery_code(opened: Opened, given: Given) -> Passed:
    with _transaction(opened, given):
        left = recovery_codes.spend(
            opened.proven.user, given.code, customer=opened.proven.customer, context=given.context
        )
        if left is not None:
            return replace(_go_on(opened, given), recovery_codes_left=left)
    _count_guess(opened, given)
    raise InvalidFactorCode


def _confirm_enrolment(opened: Opened, given: Given) -> Passed:
    """The factor is enrolled and given in one step."""
    try:
        return _enrolled(opened, given)
    except InvalidOtp:
        if given.method == TOTP:  # an SMS is counted where it is redeemed
            _count_guess(opened, given)
        else:
            _reject(opened, given)
        raise
    except InvalidPasskey:
        _reject(opened, given)
        raise


def _enrolled(opened: Opened, given: Given) -> Passed:
    user, customer, context = opened.proven.user, opened.proven.customer, given.context

    def finish(enrol: Callable[[], tuple[str, ...]]) -> Passed:
        with _transaction(opened, given):
            return _go_on(opened, given, recovery_codes=enrol())

    if given.method == TOTP:
        return finish(lambda: totp.keep(user, given.code, customer=customer, context=context))
    if given.method == SMS:
        keep = partial(phones.keep, user, customer=customer, context=context)
        return phones.prove(
            user, given.code, lambda proven: finish(lambda: keep(proven)), customer=customer, context=context
        )
    enrol = partial(passkeys.enrol, user, customer=customer, context=context)
    return finish(lambda: enrol(credential=given.credential, name="").recovery_codes)


@contextmanager
def _transaction(opened: Opened, given: Given) -> Iterator[None]:
    """In which a right factor is used and the sign-in goes on; if it fails through no fault of the caller's, it was no try.

    The user is locked: what is done with the password or the factors meanwhile comes wholly before this, and voids it, or
    wholly after.
    """
    uncounted = rate_limits.uncounted_if_it_fails(*given.hits)
    with uncounted, challenges.no_try_if_it_fails(opened.row.id), transaction.atomic():
        user = directory.lock(opened.proven.user.id)
        if user is None:
            raise UserInactive
        if user.credentials_version != opened.row.credentials_version:
            raise InvalidToken
        yield


def _go_on(opened: Opened, given: Given, *, recovery_codes: tuple[str, ...] = ()) -> Passed:
    """The challenge is used in the transaction that starts the session, so that of any number exactly one does."""
    challenges.use(opened.row.id, now=given.context.now)
    return Passed(challenges.proceed(opened.proven.having_passed(given.method)), recovery_codes)


def _count_guess(opened: Opened, given: Given) -> None:
    customer, user = opened.proven.customer, opened.proven.user
    if tries.note_guess(customer):
        redeeming.sound_alarm(customer, context=given.context)
    with transaction.atomic():
        directory.count_wrong_second_factor(customer.id, user.email_identity)
        _reject(opened, given)


def _reject(opened: Opened, given: Given) -> None:
    proven = opened.proven
    events.record(
        action=actions.SECOND_FACTOR_REJECTED,
        outcome=Outcome.FAILURE,
        severity=Severity.MEDIUM,
        customer_id=proven.customer.id,
        user_id=proven.user.id,
        context=given.context,
        details={"method": given.method, "first_factor": proven.first_factor},
    )
