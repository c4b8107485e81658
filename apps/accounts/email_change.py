"""Changing the address: a code proves the new one, and a mail to the old one says how to undo it (`email_undo`)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts import new_address, password_change
from apps.accounts.errors import EmailTaken
from apps.accounts.models import EmailChange
from apps.audit import actions
from apps.audit.models import Severity
from apps.core import ciphers
from apps.core.context import RequestContext
from apps.customers import links
from apps.customers.state import CustomerState
from apps.otp import attempt_limits, code_attempts, code_mails, code_requests, code_store, new_codes
from apps.otp.code_attempts import CodeAttempt, RightCode
from apps.otp.code_sets import CodeSet
from apps.otp.errors import InvalidOtp
from apps.otp.new_codes import NewCode
from apps.otp.purposes import CHANGE_EMAIL
from apps.signin import first_proof
from apps.tokens import fresh_proof
from apps.users import credentials, directory, emails, notices, user_events
from apps.users.emails import Address
from apps.users.models import User

MAIL = "change_email_code"
UNDOABLE_FOR = timedelta(days=7)
TOKEN_BYTES = 32


@dataclass(frozen=True)
class EmailChangeRequest:
    """A user who is signed in wants another address.

    `password`: the present one; empty if the session has a fresh proof (contract 3.10).
    """

    customer: CustomerState
    user: User
    session_id: UUID
    address: Address
    password: str = field(repr=False)
    context: RequestContext


@dataclass(frozen=True)
class EmailChangeProof:
    """The code that was sent to the new address, and the session that gives it."""

    customer: CustomerState
    user: User
    session_id: UUID
    address: Address
    code: str = field(repr=False)
    context: RequestContext


def request(wanted: EmailChangeRequest) -> None:
    """Send a code to the new address. The answer does not say whether that address is taken.

    Raises InvalidPassword, ResendTooSoon, RateLimited, QuotaExceeded, NotFound or ValkeyUnavailable.
    """
    customer, user = wanted.customer, wanted.user
    if wanted.password:
        password_change.require_password(
            user, wanted.password, session_id=wanted.session_id, customer=customer, context=wanted.context
        )
    code_set = _code_set(user, wanted.address, wanted.context)
    new, rules = new_codes.new(code_set, customer), code_requests.rules_for(customer, wanted.address, wanted.context)
    with code_store.issued(code_set, new, customer=customer, rules=rules), transaction.atomic():
        _write(wanted, new)


def confirm(proof: EmailChangeProof) -> User:
    """Make the new address the user's, if the code is right.

    Tries are counted for the session alone: a thief of its token must not use up what the user needs to sign in.
    Raises InvalidOtp (whatever is wrong with the code), EmailTaken, SessionEnded, RateLimited or ValkeyUnavailable.
    """
    fresh_proof.count_try(
        customer_id=proof.customer.id,
        user_id=proof.user.id,
        session_id=proof.session_id,
        context=proof.context,
    )
    attempt = CodeAttempt(
        customer=proof.customer,
        address=emails.parse(proof.user.email),
        code_set=_code_set(proof.user, proof.address, proof.context),
        code=proof.code,
        context=proof.context,
    )
    user = code_attempts.redeem(attempt, lambda right: _accept(proof, right), rules=())
    fresh_proof.forget_tries(customer_id=proof.customer.id, session_id=proof.session_id)
    return user


def waiting(user: User, now: datetime) -> EmailChange | None:
    """The change that the user has asked for last, while its code can still be given."""
    mine = EmailChange.objects.of(user.customer_id).filter(user=user, credentials_version=user.credentials_version)
    return mine.filter(confirmed_at=None, expires_at__gt=now).order_by("-created_at", "-id").first()


def _code_set(user: User, address: Address, context: RequestContext) -> CodeSet:
    return CodeSet(user.customer_id, f"{user.id} {address.identity}", CHANGE_EMAIL, in_sandbox=context.in_sandbox)


def _write(wanted: EmailChangeRequest, new: NewCode) -> None:
    customer, user = wanted.customer, directory.hold(wanted.user.id)
    EmailChange.objects.create(
        customer_id=customer.id,
        user=user,
        old_email=user.email,
        new_email=wanted.address.typed,
        message_id=new.message_id,
        credentials_version=user.credentials_version,
        created_at=wanted.context.now,
        expires_at=wanted.context.now + timedelta(seconds=customer.code_lifetime),
    )
    user_events.record_own(actions.EMAIL_CHANGE_REQUESTED, user, wanted.context, severity=Severity.LOW)
    draft = code_mails.draft(
        kind=MAIL,
        new=new,
        customer=customer,
        user=user,
        recipient=wanted.address.typed,
        context=wanted.context,
    )
    receives = not attempt_limits.is_closed_to_second_factors(customer, user)
    code_mails.post(draft, customer=customer, user=user, receives=receives, now=wanted.context.now)


def _accept(proof: EmailChangeProof, right: RightCode) -> User | None:
    """The code was right. None if the account takes no codes any more. Raises InvalidOtp or EmailTaken."""
    if attempt_limits.is_closed_to_second_factors(proof.customer, proof.user):
        return None
    try:
        with transaction.atomic():
            return _move(proof, right)
    except IntegrityError as error:  # a reader of the mailbox may know that it has an account
        raise EmailTaken from error


def _move(proof: EmailChangeProof, right: RightCode) -> User:
    """Raises InvalidOtp if nobody asked for this change, or the credentials have changed since; IntegrityError if the address
    is taken.
    """
    user = directory.lock(proof.user.id)
    change = EmailChange.objects.filter(user=user, message_id=right.message_id, confirmed_at=None).first()
    if user is None or change is None or change.credentials_version != user.credentials_version:
        raise InvalidOtp
    right.use()
    was_proven = user.email_verified_at is not None
    change.old_email, change.confirmed_at = user.email, proof.context.now
    change.save(update_fields=["old_email", "confirmed_at"])
    new_address.give(user, change.new_email, proof.context)
    credentials.change(user, now=proof.context.now)  # what was issued lies in the old mailbox
    user_events.record_own(actions.EMAIL_CHANGED, user, proof.context, severity=Severity.LOW)
    if was_proven:
        announce(change, user, customer=proof.customer, context=proof.context)
    else:  # the old address may have been mistyped: its reader must not get the account
        first_proof.note(user, customer=proof.customer, context=proof.context)
    return user


def announce(change: EmailChange, user: User, *, customer: CustomerState, context: RequestContext) -> None:
    """Tell the old address of a change that is done, with a way to undo it. In the caller's transaction."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    change.undo_digest, change.undo_until = ciphers.digest(token.encode()), context.now + UNDOABLE_FOR
    change.save(update_fields=["undo_digest", "undo_until"])
    notices.post(
        notices.EMAIL_CHANGED,
        customer=customer,
        user=user,
        context=context,
        recipient=change.old_email,
        new_email=masked(change.new_email),
        undo_link=links.to(customer, links.UNDO_EMAIL_CHANGE, token=token),
        days=UNDOABLE_FOR.days,
    )


def masked(email: str) -> str:
    """ "a…@example.com": enough to recognise an address of one's own."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
