"""Signing in by one-time code: the code, the user, and then tokens or a second factor."""

from dataclasses import dataclass, field
from typing import cast

from django.db import transaction

from apps.audit import actions
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import Destination
from apps.otp import closed_accounts, code_attempts
from apps.otp.code_attempts import CODE_VOID, CodeNotAccepted, RightCode
from apps.otp.purposes import LOGIN
from apps.signin import completion, first_proof, known_devices, returning
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.models import FirstFactor
from apps.signin.pending_sign_in import PendingSignIn
from apps.tokens.session_rows import CodeOfUser
from apps.users import directory, emails, languages, roles, user_events
from apps.users.directory import FoundUser
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User

ADMIN_BY_KNOWN_CODE, OTHER_MAILBOX = "admin_by_known_code", "other_mailbox"  # why a right code is refused


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


def _accept(attempt: CodeSignIn, right: RightCode) -> SignedIn | Challenged:
    """The code was right. Raises CodeNotAccepted if this account may not sign in by it all the same."""
    return _at_once(attempt, right) or _in_transaction(attempt, right)


def _at_once(attempt: CodeSignIn, right: RightCode) -> SignedIn | None:
    """Sign in a returning user of whom nothing more is asked: two statements, each by itself. None for everybody else.

    Decides nothing but a yes, and by the same rules. What stands in the way of it, the transaction finds again.
    """
    customer, device = attempt.customer, known_devices.name_of(attempt.context)
    seen = returning.find(customer.id, attempt.address.identity, message_id=right.message_id, device=device)
    if seen is None or seen.sent is None or seen.sent.suppressed or seen.user.email_verified_at is None:
        return None
    if not seen.device_is_known or seen.sessions >= customer.sessions_per_user:
        return None
    if _refused_by(attempt, seen.sent, seen.user):
        return None
    code = CodeOfUser(right.message_id, right.set_name, seen.row_version)
    return completion.at_once(_pending(attempt, FoundUser(seen.user, is_new=False)), seen.enrolled, code)


def _in_transaction(attempt: CodeSignIn, right: RightCode) -> SignedIn | Challenged:
    roles.read(attempt.customer.id)  # what is read within a transaction is not remembered: each sign-in would ask anew
    with transaction.atomic():
        sent = outbox.destination_of(right.message_id)
        if sent is None:
            raise CodeNotAccepted(CODE_VOID)
        found = _whose(attempt, sent)
        right.use()  # users are locked before what hangs on them
        _prove_mailbox(attempt, found)
        ended = completion.proceed(_pending(attempt, found))
        if sent.suppressed:
            user_events.record_own(actions.FIXED_CODE_USED, found.user, attempt.context, method=FirstFactor.CODE)
        return ended


def _whose(attempt: CodeSignIn, sent: Destination) -> FoundUser:
    """The user who may sign in by this code. Raises CodeNotAccepted.

    The code proves the address that its mail went to; the one given now may be another that compares equal. A code that was
    sent to a user who has gone since makes no new one.
    """
    customer, proven = attempt.customer, emails.parse(sent.recipient)
    may_create = customer.creates_users_on_sign_in and sent.user_id is None
    locale = languages.asked_for(locale=sent.locale, context=attempt.context)  # of a first sign-in: kept
    found = directory.find_or_create(customer.id, proven, may_create=may_create, locale=locale, now=attempt.context.now)
    if found is None:
        raise CodeNotAccepted(closed_accounts.UNKNOWN_USER)
    if rule := _refused_by(attempt, sent, found.user):
        raise CodeNotAccepted(rule)
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


def _refused_by(attempt: CodeSignIn, sent: Destination, user: User) -> str | None:
    """The rule that keeps the user from signing in by the code that was sent there, or None.

    It is void once the user's credentials have changed. Others know it if it was asked for with a test key, whose holder can read
    it, or is a fixed code (never sent).
    """
    if user.credentials_version != sent.credentials_version:
        return CODE_VOID
    is_known_to_others = sent.suppressed or attempt.context.in_sandbox
    if is_known_to_others and user.role == BuiltInRole.ADMIN:
        return ADMIN_BY_KNOWN_CODE
    if not emails.same_mailbox(user.email, sent.recipient):
        return OTHER_MAILBOX
    return closed_accounts.refused_by(attempt.customer, user)
