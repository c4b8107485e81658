"""Signing in by one-time code: the code, the user, and then tokens or a second factor."""

from dataclasses import dataclass, field
from typing import cast

from django.db import transaction

from apps.audit import actions
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import Destination
from apps.otp import attempt_limits, code_attempts
from apps.otp.code_attempts import RightCode
from apps.otp.purposes import LOGIN
from apps.signin import completion, first_proof
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.models import FirstFactor
from apps.signin.pending_sign_in import PendingSignIn
from apps.users import directory, emails, languages, roles, user_events
from apps.users.directory import FoundUser
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus


@dataclass(frozen=True)
class CodeSignIn:
    """Somebody signs in by a code that was sent to the address."""

    customer: CustomerState
    address: Address
    code: str = field(repr=False)
    delivery: str
    context: RequestContext
    device_tokens: tuple[str, ...] = field(default=(), repr=False)  # of browsers that are remembered


def sign_in(attempt: CodeSignIn) -> SignedIn | Challenged:
    """Sign in by code. Raises InvalidOtp (whatever is wrong with the code), RateLimited or ValkeyUnavailable."""
    given = code_attempts.of_address(
        customer=attempt.customer,
        address=attempt.address,
        purpose=LOGIN,
        code=attempt.code,
        context=attempt.context,
    )
    ended = code_attempts.redeem(given, lambda right: _accept(attempt, right))
    return cast("SignedIn | Challenged", ended)  # mypy joins the two to an object


def _accept(attempt: CodeSignIn, right: RightCode) -> SignedIn | Challenged | None:
    """The code was right. None if this account may not sign in by it all the same."""
    roles.read(attempt.customer.id)  # what is read within a transaction is not remembered: each sign-in would ask anew
    with transaction.atomic():
        sent = outbox.destination_of(right.message_id)
        found = _whose(attempt, sent) if sent else None
        if sent is None or found is None:
            return None
        right.use()  # users are locked before what hangs on them
        _prove_mailbox(attempt, found)
        ended = completion.proceed(_pending(attempt, found))
        if sent.suppressed:
            user_events.record_own(actions.FIXED_CODE_USED, found.user, attempt.context, method=FirstFactor.CODE)
        return ended


def _whose(attempt: CodeSignIn, sent: Destination) -> FoundUser | None:
    """The user who may sign in by this code.

    The code proves the address that its mail went to; the one given now may be another that compares equal. A code that was
    sent to a user who has gone since makes no new one, and a code is void once the user's credentials have changed.
    """
    customer, proven = attempt.customer, emails.parse(sent.recipient)
    may_create = customer.creates_users_on_sign_in and sent.user_id is None
    locale = languages.asked_for(locale=sent.locale, context=attempt.context)  # of a first sign-in: kept
    found = directory.find_or_create(customer.id, proven, may_create=may_create, locale=locale, now=attempt.context.now)
    is_known_to_others = sent.suppressed or attempt.context.in_sandbox
    if found is None or found.user.credentials_version != sent.credentials_version:
        return None
    if not _may_sign_in(customer, found.user, proven, is_known_to_others=is_known_to_others):
        return None
    return found


def _pending(attempt: CodeSignIn, found: FoundUser) -> PendingSignIn:
    return PendingSignIn(
        customer=attempt.customer,
        user=found.user,
        first_factor=FirstFactor.CODE,
        delivery=attempt.delivery,
        context=attempt.context,
        is_new=found.is_new,
        device_tokens=attempt.device_tokens,
    )


def _prove_mailbox(attempt: CodeSignIn, found: FoundUser) -> None:
    if found.is_new:
        user_events.record_own(actions.USER_CREATED, found.user, attempt.context, method=FirstFactor.CODE)
        first_proof.begin(found.user, customer=attempt.customer, now=attempt.context.now)
    elif found.user.email_verified_at is None:
        first_proof.by_mail(found.user, customer=attempt.customer, context=attempt.context)


def _may_sign_in(customer: CustomerState, user: User, proven: Address, *, is_known_to_others: bool) -> bool:
    """`is_known_to_others`: it was asked for with a test key, whose holder can read it, or it was a fixed code (never sent)."""
    if user.status == UserStatus.DEACTIVATED or attempt_limits.is_closed_to_codes(customer, user):
        return False
    if is_known_to_others and user.role == BuiltInRole.ADMIN:
        return False
    return emails.same_mailbox(user.email, proven.typed)
