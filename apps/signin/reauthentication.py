"""Proving once more who one is, while signed in (contract 3.10): as strongly as the account can be entered at all.

A second factor where there is one, else the password, else a code to the mailbox. What is sent is bound to the session that
asked, and counted for it alone: whoever has stolen a token keeps nobody from signing in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors import enrolled, passkeys, recovery_codes, totp
from apps.factors.errors import InvalidFactorCode, InvalidPasskey
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.otp import redeeming, tries
from apps.otp.errors import InvalidOtp
from apps.otp.redeeming import RightCode, Try
from apps.signin import amr, by_password, reauthentication_codes
from apps.signin.errors import InvalidCredentials, InvalidPassword, MethodNotOffered
from apps.signin.factor_codes import Sent
from apps.signin.models import FirstFactor, Password
from apps.signin.requirements import EMAIL, GUESSABLE
from apps.tokens import renewal
from apps.tokens.errors import UserInactive
from apps.tokens.minting import TokenPair
from apps.users import directory, emails
from apps.users.models import User
from apps.users.state import UserState

PASSWORD = "password"  # noqa: S105  (the name of a method)
METHODS = (PASSKEY, TOTP, SMS, RECOVERY_CODE, PASSWORD, EMAIL)
SENT = (EMAIL, SMS, PASSKEY)  # what has to be asked for first
AMR = {PASSWORD: amr.of_sign_in(FirstFactor.PASSWORD, ()), EMAIL: amr.of_sign_in(FirstFactor.CODE, ())}


@dataclass(frozen=True)
class Asked:
    """What somebody who is signed in asks for, in which session. `now_is`: the user as the session's token found them."""

    customer: CustomerState
    user: User
    now_is: UserState
    session_id: UUID
    method: str
    context: RequestContext


@dataclass(frozen=True)
class Given(Asked):
    """A proof: a code, the password, or a passkey's credential."""

    code: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)


def methods_for(user: User, customer: CustomerState) -> tuple[str, ...]:
    """What the user may prove it by, in the order in which to offer it. Empty: only another sign-in will do."""
    found = enrolled.of(user.id)
    if found.has_any:
        offered: tuple[str, ...] = found.methods
    elif Password.objects.filter(user=user).exists():
        offered = (PASSWORD,)
    else:
        offered = (EMAIL,)
    is_closed = tries.is_closed_to_second_factors(customer, user)
    return tuple(method for method in offered if not (is_closed and method in GUESSABLE))


def send(asked: Asked) -> Sent | Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey.

    Raises MethodNotOffered, SessionEnded once the session's tries are spent, and what `reauthentication_codes.send` raises.
    """
    _require_offered(asked.user, asked)
    if asked.method == PASSKEY:
        return passkeys.request_options(customer=asked.customer, user=asked.user, now=asked.context.now)
    _count_try(asked)
    return reauthentication_codes.send(
        asked.method,
        user=asked.user,
        session_id=asked.session_id,
        customer=asked.customer,
        context=asked.context,
    )


def prove(given: Given) -> TokenPair:
    """New tokens of the same session, which say that the user has proven it now.

    Raises InvalidOtp, InvalidPassword or InvalidPasskey for whatever is wrong with what was given, MethodNotOffered,
    SessionEnded once the session's tries are spent, UserInactive, RateLimited or ValkeyUnavailable.
    """
    _require_offered(given.user, given)
    if given.method == PASSKEY:  # is no guess
        return _with_passkey(given)
    _count_try(given)
    if given.method in (EMAIL, SMS):
        return _with_sent_code(given)
    tries.hit_network(given.customer, given.context)
    if given.method == PASSWORD:
        return _with_password(given)
    return _with_kept_secret(given)


def _with_passkey(given: Given) -> TokenPair:
    try:
        passkeys.check(
            customer=given.customer,
            credential=given.credential,
            context=given.context,
            user=given.user,
        )
    except InvalidPasskey:
        _reject(given)
        raise
    with transaction.atomic():
        user = _lock(given)
        if user.credentials_version != given.user.credentials_version:  # changed meanwhile
            raise InvalidPasskey
        return _renew(user, given)


def _with_sent_code(given: Given) -> TokenPair:
    place = reauthentication_codes.place_of(
        given.method, user=given.user, session_id=given.session_id, customer=given.customer, context=given.context
    )
    attempt = Try(
        customer=given.customer,
        address=emails.parse(given.user.email),
        place=place,
        code=given.code,
        context=given.context,
    )

    def accept(right: RightCode) -> TokenPair | None:
        with transaction.atomic():
            user = _lock(given)
            if user.credentials_version != given.user.credentials_version:  # changed meanwhile
                return None
            right.use()
            return _renew(user, given)

    try:
        return redeeming.redeem(attempt, accept, rules=())
    except InvalidOtp:
        _reject(given)
        raise


def _with_password(given: Given) -> TokenPair:
    """Neither counted towards the lock of the password, nor stopped by it: the session's own tries bound the guesses."""
    mine = User.objects.of(given.customer.id).filter(id=given.user.id).select_related("password").first()
    checked = by_password.check(mine, given.password, now=given.context.now, despite_lock=True)
    if checked is None:
        _reject(given)
        raise InvalidPassword
    with transaction.atomic():
        user = _lock(given)
        try:
            by_password.accept(checked, given.password, now=given.context.now, despite_lock=True)
        except InvalidCredentials as error:  # changed meanwhile
            raise InvalidPassword from error
        return _renew(user, given)


def _with_kept_secret(given: Given) -> TokenPair:
    with transaction.atomic():
        user = _lock(given)
        if _is_right(user, given):
            return _renew(user, given)
    if tries.note_guess(given.customer):
        redeeming.sound_alarm(given.customer, context=given.context)
    _reject(given)
    raise InvalidFactorCode


def _is_right(user: User, given: Given) -> bool:
    """Uses the code up."""
    if given.method == TOTP:
        return totp.check(user.id, given.code, now=given.context.now)
    left = recovery_codes.spend(user, given.code, customer=given.customer, context=given.context)
    return left is not None


def _count_try(asked: Asked) -> None:
    renewal.count_try(
        customer_id=asked.customer.id,
        user_id=asked.user.id,
        session_id=asked.session_id,
        context=asked.context,
    )


def _require_offered(user: User, asked: Asked) -> None:
    if asked.method not in methods_for(user, asked.customer):
        raise MethodNotOffered


def _lock(given: Given) -> User:
    """What is done with password or factors meanwhile comes wholly before this, or wholly after."""
    user = directory.lock(given.user.id)
    if user is None:
        raise UserInactive
    _require_offered(user, given)
    return user


def _renew(user: User, given: Given) -> TokenPair:
    proven_by = AMR.get(given.method) or amr.of_second_factor(given.method)
    pair = renewal.renew(
        customer=given.customer,
        user=given.now_is,
        session_id=given.session_id,
        amr=proven_by,
        now=given.context.now,
    )
    events.record(
        action=actions.REAUTHENTICATED,
        customer_id=given.customer.id,
        user_id=user.id,
        context=given.context.by(actors.user(user.id)),
        details={"method": given.method, "session": str(given.session_id)},
    )
    return pair


def _reject(given: Given) -> None:
    events.record(
        action=actions.REAUTHENTICATION_REJECTED,
        outcome=Outcome.FAILURE,
        severity=Severity.MEDIUM,
        customer_id=given.customer.id,
        user_id=given.user.id,
        context=given.context.by(actors.user(given.user.id)),
        details={"method": given.method, "session": str(given.session_id)},
    )
