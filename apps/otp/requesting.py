"""Asking for a code: limits and code in Valkey, then mail and event in one transaction; alike for every address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.audit import actions, events
from apps.core.client_address import counted_as
from apps.core.ids import new_id
from apps.core.rate_limits import Rule
from apps.core.requests import Caller
from apps.customers import limits
from apps.customers.standing import CustomerStanding
from apps.mail import outbox
from apps.mail.content import supported
from apps.mail.errors import QuotaExceeded
from apps.mail.outbox import Draft
from apps.otp import codes, fixed_codes
from apps.otp.codes import NewCode, Place
from apps.users import directory
from apps.users.emails import Address
from apps.users.models import User, UserStatus

KIND = "sign_in_code"


@dataclass(frozen=True)
class Requested:
    """A code is alive. `remaining`: of each limit. Durations in seconds."""

    expires_in: int
    resend_in: int
    remaining: Mapping[str, int]


@dataclass(frozen=True)
class Wish:
    """What was asked for, by whom."""

    customer: CustomerStanding
    address: Address
    purpose: str
    locale: str
    sandbox_key_id: str
    caller: Caller
    now: datetime

    @property
    def place(self) -> Place:
        return Place(self.customer.id, self.address.identity, self.purpose)


def request_code(wish: Wish) -> Requested:
    """Have a code sent. Raises ResendTooSoon, RateLimited, QuotaExceeded or ValkeyUnavailable.

    Whether the address has an account changes neither the answer nor the work.
    """
    fixed = fixed_codes.code_for(wish.customer, wish.address, now=wish.now)
    new = NewCode(message_id=new_id(), code=fixed or codes.generate(wish.customer))
    remaining = codes.issue(wish.place, new, customer=wish.customer, rules=rules_for(wish))
    try:
        with transaction.atomic():
            _write(wish, new, is_fixed=fixed is not None)
    except QuotaExceeded:
        codes.withdraw(wish.place, new.code)
        raise
    return Requested(wish.customer.code_lifetime, wish.customer.code_resend_after, remaining)


def rules_for(wish: Wish) -> list[Rule]:
    """The limits on asking (contract 6). The first is the one that answers speak of."""
    customer = wish.customer
    return [
        limits.rule(customer.limit(limits.CODES_PER_EMAIL), customer.id, counted(wish.address)),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(wish.caller.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]


def counted(address: Address) -> str:
    """How limits name an address in Valkey."""
    return codes.pseudonym(address.counter_key)


def _write(wish: Wish, new: NewCode, *, is_fixed: bool) -> None:
    """Three statements, whoever asks: look the user up, write the event, post (or suppress) the mail."""
    customer = wish.customer
    user = directory.find(customer.id, wish.address.identity)
    action = actions.FIXED_CODE_USED if is_fixed else actions.CODE_REQUESTED
    events.record(
        action=action,
        customer_id=customer.id,
        user_id=user.id if user else None,
        caller=wish.caller,
        details={"purpose": wish.purpose},
        now=wish.now,
    )
    receives = not is_fixed and _may_receive(wish, user)
    insert = outbox.post if receives else outbox.suppress
    # Neither the sandbox nor a fixed code ever sends anything, so neither asks what may be sent.
    quota = None if is_fixed or wish.sandbox_key_id else customer.quota
    insert(draft=_draft(wish, user, new), branding=customer.branding, quota=quota, now=wish.now)


def _may_receive(wish: Wish, user: User | None) -> bool:
    if user is None:
        return wish.customer.creates_users_on_sign_in
    return user.status != UserStatus.DEACTIVATED and not too_many_wrong(wish.customer, user)


def too_many_wrong(customer: CustomerStanding, user: User) -> bool:
    """Whether so many codes in a row were wrong that codes are closed to this account until somebody opens them."""
    return user.wrong_codes >= customer.limit(limits.WRONG_CODES_IN_A_ROW).count


def _draft(wish: Wish, user: User | None, new: NewCode) -> Draft:
    """Mail to a known user goes to the address that user gave, not to one that merely compares equal."""
    customer = wish.customer
    return Draft(
        message_id=new.message_id,
        kind=KIND,
        recipient=user.email if user else wish.address.typed,
        locale=supported(wish.locale, user.locale if user else "", customer.default_locale),
        expires_at=wish.now + timedelta(seconds=customer.code_lifetime),
        context={
            "code": new.code,
            "spelled_code": " ".join(new.code),
            "minutes": max(1, customer.code_lifetime // 60),
        },
        user_id=user.id if user else None,
        sandbox_key_id=wish.sandbox_key_id,
    )
