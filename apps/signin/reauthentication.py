"""Proving once more who one is, while signed in (contract 3.10): by the strongest means that the account has.

That is a second factor if there is one, else the password, else a code by email. Codes are bound to the session that asked,
and counted for it alone: a thief of its token cannot keep the user from signing in.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from apps.audit import refusals, steps
from apps.core import actors
from apps.factors import passkeys
from apps.factors.methods import PASSKEY, SMS
from apps.otp import attempt_limits
from apps.signin import reauthentication_attempts, reauthentication_codes, reauthentication_methods
from apps.signin.reauthentication_attempts import ReauthenticationRequest
from apps.signin.requirements import EMAIL
from apps.signin.second_factor_codes import SentCode
from apps.tokens import fresh_proof
from apps.tokens.minting import TokenPair


def send(request: ReauthenticationRequest) -> SentCode | Mapping[str, Any]:
    """Send a code, or give what the browser needs to ask for a passkey.

    Raises MethodNotOffered, SessionEnded once the session's tries are spent, and what `reauthentication_codes.send` raises.
    """
    with _recorded(request):
        return _send(request)


def _send(request: ReauthenticationRequest) -> SentCode | Mapping[str, Any]:
    reauthentication_attempts.require_offered(request.user, request)
    if request.method == PASSKEY:
        return passkeys.request_options(customer=request.customer, user=request.user, now=request.context.now)
    _count_try(request)
    return reauthentication_codes.send(
        request.method,
        user=request.user,
        session_id=request.session_id,
        customer=request.customer,
        context=request.context,
    )


def prove(attempt: ReauthenticationRequest) -> TokenPair:
    """New tokens of the same session, which say that the user has proven it now.

    Raises InvalidOtp, InvalidPassword or InvalidPasskey for whatever is wrong with what was given, MethodNotOffered,
    SessionEnded once the session's tries are spent, UserInactive, RateLimited or ValkeyUnavailable.
    """
    with _recorded(attempt):
        return _prove(attempt)


def _recorded(request: ReauthenticationRequest) -> AbstractContextManager[None]:
    user = request.user
    return refusals.recorded(
        steps.REAUTHENTICATE,
        request.context.by(actors.user(user.id)),
        customer_id=user.customer_id,
        user_id=user.id,
        address=user.email_identity,
    )


def _prove(attempt: ReauthenticationRequest) -> TokenPair:
    reauthentication_attempts.require_offered(attempt.user, attempt)
    if attempt.method == PASSKEY:  # cannot be guessed
        return reauthentication_attempts.with_passkey(attempt)
    _count_try(attempt)
    if attempt.method in (EMAIL, SMS):
        return reauthentication_attempts.with_sent_code(attempt)
    attempt_limits.hit_network(attempt.customer, attempt.context)
    if attempt.method == reauthentication_methods.PASSWORD:
        return reauthentication_attempts.with_password(attempt)
    return reauthentication_attempts.with_kept_secret(attempt)


def _count_try(request: ReauthenticationRequest) -> None:
    fresh_proof.count_try(
        customer_id=request.customer.id,
        user_id=request.user.id,
        session_id=request.session_id,
        context=request.context,
    )
