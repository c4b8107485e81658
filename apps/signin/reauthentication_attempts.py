"""One attempt to prove once more who one is: checked by its method, and recorded if it is wrong."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit import actions, refusals, steps
from apps.audit.models import Severity
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors import passkeys, recovery_codes, totp
from apps.factors.errors import InvalidFactorCode, InvalidPasskey
from apps.factors.methods import TOTP
from apps.otp import attempt_limits, code_attempts
from apps.otp.code_attempts import CodeAttempt, RightCode
from apps.otp.errors import InvalidOtp
from apps.signin import amr, by_password, reauthentication_codes, reauthentication_methods
from apps.signin.errors import InvalidCredentials, InvalidPassword, MethodNotOffered
from apps.signin.models import FirstFactor
from apps.signin.requirements import EMAIL
from apps.tokens import fresh_proof
from apps.tokens.errors import UserInactive
from apps.tokens.minting import TokenPair
from apps.users import directory, emails, user_events
from apps.users.models import User
from apps.users.state import UserState

WRONG_PROOF = "wrong_proof"
AMR = {
    reauthentication_methods.PASSWORD: amr.of_sign_in(FirstFactor.PASSWORD, ()),
    EMAIL: amr.of_sign_in(FirstFactor.CODE, ()),
}


@dataclass(frozen=True)
class GivenProof:
    """What the user gives as a proof: a code, the password, or a passkey's credential."""

    code: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    credential: Any = field(default=None, repr=False)


NOTHING_YET = GivenProof()


@dataclass(frozen=True)
class ReauthenticationRequest:
    """A user who is signed in wants to prove it by this method. `now_is`: the user's state, as the session's token found it.

    `given`: the proof; nothing yet when a code is asked for.
    """

    customer: CustomerState
    user: User
    now_is: UserState
    session_id: UUID
    method: str
    context: RequestContext
    given: GivenProof = NOTHING_YET


def with_passkey(attempt: ReauthenticationRequest) -> TokenPair:
    """Raises InvalidPasskey."""
    try:
        passkeys.check(
            customer=attempt.customer,
            credential=attempt.given.credential,
            context=attempt.context,
            user=attempt.user,
        )
    except InvalidPasskey:
        _reject(attempt)
        raise
    with transaction.atomic():
        user = _lock(attempt)
        if user.credentials_version != attempt.user.credentials_version:  # changed meanwhile
            raise InvalidPasskey
        return _renew(user, attempt)


def with_sent_code(attempt: ReauthenticationRequest) -> TokenPair:
    """By a code that was sent for this session. Raises InvalidOtp."""
    code_set = reauthentication_codes.code_set_of(
        attempt.method,
        user=attempt.user,
        session_id=attempt.session_id,
        customer=attempt.customer,
        context=attempt.context,
    )
    code_attempt = CodeAttempt(
        customer=attempt.customer,
        address=emails.parse(attempt.user.email),
        code_set=code_set,
        code=attempt.given.code,
        context=attempt.context,
    )

    def accept(right: RightCode) -> TokenPair | None:
        with transaction.atomic():
            user = _lock(attempt)
            if user.credentials_version != attempt.user.credentials_version:  # changed meanwhile
                return None
            right.use()
            return _renew(user, attempt)

    try:
        return code_attempts.redeem(code_attempt, accept, rules=())
    except InvalidOtp:
        _reject(attempt)
        raise


def with_password(attempt: ReauthenticationRequest) -> TokenPair:
    """A wrong one does not count towards the password's lock, and a lock does not stop it: the session's tries are the limit."""
    mine = User.objects.of(attempt.customer.id).filter(id=attempt.user.id).select_related("password").first()
    checked = by_password.check(mine, attempt.given.password, now=attempt.context.now, despite_lock=True)
    if checked is None:
        _reject(attempt)
        raise InvalidPassword
    with transaction.atomic():
        user = _lock(attempt)
        try:
            by_password.accept(checked, attempt.given.password, now=attempt.context.now, despite_lock=True)
        except InvalidCredentials as error:  # changed meanwhile
            raise InvalidPassword from error
        return _renew(user, attempt)


def with_kept_secret(attempt: ReauthenticationRequest) -> TokenPair:
    """By a code of an authenticator app, or a recovery code. Raises InvalidFactorCode."""
    with transaction.atomic():
        user = _lock(attempt)
        if _is_right(user, attempt):
            return _renew(user, attempt)
    if attempt_limits.note_guess(attempt.customer):
        code_attempts.sound_alarm(attempt.customer, context=attempt.context)
    _reject(attempt)
    raise InvalidFactorCode


def _is_right(user: User, attempt: ReauthenticationRequest) -> bool:
    """Whether the code is right; a right one is used up."""
    if attempt.method == TOTP:
        return totp.check(user.id, attempt.given.code, now=attempt.context.now)
    left = recovery_codes.spend(user, attempt.given.code, customer=attempt.customer, context=attempt.context)
    return left is not None


def require_offered(user: User, request: ReauthenticationRequest) -> None:
    """Raises MethodNotOffered."""
    if request.method not in reauthentication_methods.methods_for(user, request.customer):
        raise MethodNotOffered


def _lock(attempt: ReauthenticationRequest) -> User:
    """Lock the user: changes of password or factors meanwhile come wholly before this, or wholly after."""
    user = directory.lock(attempt.user.id)
    if user is None:
        raise UserInactive
    require_offered(user, attempt)
    return user


def _renew(user: User, attempt: ReauthenticationRequest) -> TokenPair:
    proven_by = AMR.get(attempt.method) or amr.of_second_factor(attempt.method)
    pair = fresh_proof.renew(
        customer=attempt.customer,
        user=attempt.now_is,
        session_id=attempt.session_id,
        amr=proven_by,
        now=attempt.context.now,
    )
    user_events.record_own(
        actions.REAUTHENTICATED, user, attempt.context, method=attempt.method, session=str(attempt.session_id)
    )
    return pair


def _reject(attempt: ReauthenticationRequest) -> None:
    refusals.record(
        user_events.own_refusal(
            actions.REAUTHENTICATION_REJECTED,
            attempt.user,
            attempt.context,
            rule=WRONG_PROOF,
            step=steps.REAUTHENTICATE,
            severity=Severity.MEDIUM,
            method=attempt.method,
            session=str(attempt.session_id),
        )
    )
