"""Phone numbers that codes are sent to by SMS: checked, confirmed by a first code, kept sealed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import phonenumbers
from django.db import transaction
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from apps.audit import actions
from apps.audit.events import NewEvent
from apps.core import rate_limits, sealed
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.ids import new_id
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.factors import enrolment, methods
from apps.factors.models import Phone
from apps.mail import sms
from apps.mail.content import masked
from apps.mail.sms import SmsDraft
from apps.otp import code_attempts, code_mails, code_store, keyed_digests, new_codes
from apps.otp.code_attempts import CodeAttempt, RightCode
from apps.otp.code_sets import CodeSet
from apps.otp.errors import InvalidOtp
from apps.otp.new_codes import NewCode
from apps.otp.purposes import ENROL_PHONE
from apps.users import credentials, directory, emails, languages, user_events
from apps.users import phones as numbers
from apps.users.models import User

KIND = "second_factor_sms"
NAME = "Codes by SMS"
Result = TypeVar("Result")
MAY_RECEIVE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True)
class PhoneEnrolment:
    """A code is on its way. Durations in seconds."""

    hint: str
    expires_in: int
    resend_in: int

    def document(self) -> dict[str, Any]:
        """For the answer."""
        return {"number": self.hint, "expires_in": self.expires_in, "resend_in": self.resend_in}


@dataclass(frozen=True)
class ProvenPhone:
    """A number whose first code was right. `pending`: its sealed form in the row that waits for it. Never printed."""

    number: str = field(repr=False)
    pending: str = field(repr=False)
    code: RightCode


def parse(text: str, *, customer: CustomerState) -> str:
    """The number in E.164, if it can receive an SMS where this customer sends any. Raises ValidationFailed."""
    e164 = numbers.parse(text)
    number = phonenumbers.parse(e164)
    if phonenumbers.number_type(number) not in MAY_RECEIVE:
        raise ValidationFailed(fields={"phone": [_("This is not the number of a mobile phone.")]})
    if customer.sms_regions and phonenumbers.region_code_for_number(number) not in customer.sms_regions:
        raise ValidationFailed(fields={"phone": [_("No SMS can be sent to this country.")]})
    return e164


def begin(user: User, *, customer: CustomerState, number: str, context: RequestContext) -> PhoneEnrolment:
    """Send a first code. A confirmed number stays until another is confirmed.

    Raises ValidationFailed, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable, NotFound or ValkeyUnavailable.
    """
    wanted = parse(number, customer=customer)
    code_set = _code_set(customer, user, wanted, context)
    new = new_codes.new(code_set, customer)
    rules = rules_for(user, wanted, customer=customer, context=context)
    with code_store.issued(code_set, new, customer=customer, rules=rules), transaction.atomic():
        _remember(user, wanted, context.now)
        user_events.record_own(actions.SECOND_FACTOR_SENT, user, context, method=methods.SMS, enrolling=True)
        post_code(wanted, new, user=user, customer=customer, context=context)
    return PhoneEnrolment(masked(wanted), customer.code_lifetime, customer.code_resend_after)


def confirm(user: User, code: str, *, customer: CustomerState, context: RequestContext) -> tuple[str, ...]:
    """Confirm the number by its first code. Returns fresh recovery codes for a user who has none.

    Raises InvalidOtp, RateLimited or ValkeyUnavailable.
    """

    def accept(proven: ProvenPhone) -> tuple[str, ...]:
        return keep(user, proven, customer=customer, context=context)

    with rate_limits.uncounted_if_it_fails(enrolment.count_try(user, customer=customer)):
        return prove(user, code, accept, customer=customer, context=context)


def prove(
    user: User,
    code: str,
    accept: Callable[[ProvenPhone], Result],
    *,
    customer: CustomerState,
    context: RequestContext,
) -> Result:
    """Check the code that was sent to the number that is to be confirmed. If it is right, `accept` is called; it calls `keep`.

    Raises InvalidOtp, RateLimited or ValkeyUnavailable. Not to be called within a transaction: the record of a wrong code
    must stay although it is refused.
    """
    row = Phone.objects.filter(user=user).exclude(pending_number="").first()
    if row is None:
        raise InvalidOtp
    number = sealed.read(row, "pending_number").decode()
    attempt = CodeAttempt(
        customer=customer,
        address=emails.parse(user.email),
        code_set=_code_set(customer, user, number, context),
        code=code,
        context=context,
    )
    pending = row.pending_number
    return code_attempts.redeem(attempt, lambda right: accept(ProvenPhone(number, pending, right)), rules=())


def keep(user: User, proven: ProvenPhone, *, customer: CustomerState, context: RequestContext) -> tuple[str, ...]:
    """Make the number the user's second factor.

    Raises NotFound, or InvalidOtp if another number was given meanwhile, or the user's credentials have changed.
    """
    with transaction.atomic():
        present = directory.hold(user.id)
        row = Phone.objects.filter(user=user, pending_number=proven.pending).first()
        if row is None or present.credentials_version != user.credentials_version:
            raise InvalidOtp
        proven.code.use()
        if row.confirmed_at is not None:  # this number replaces another
            credentials.change(user, now=context.now)
        sealed.write(row, "number", proven.number.encode())
        row.hint, row.pending_number, row.confirmed_at = masked(proven.number), "", context.now
        row.save()
        return enrolment.complete(user, factor=methods.SMS, name=NAME, customer=customer, context=context)


def waiting_number(user_id: UUID) -> str | None:
    """The number in E.164 that waits for its first code, if there is one."""
    row = Phone.objects.filter(user_id=user_id).exclude(pending_number="").first()
    return sealed.read(row, "pending_number").decode() if row else None


def number_of(user_id: UUID) -> str | None:
    """The confirmed number in E.164, if there is one."""
    row = Phone.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    return sealed.read(row, "number").decode() if row else None


def post_code(
    number: str,
    new: NewCode,
    *,
    user: User,
    customer: CustomerState,
    context: RequestContext,
    event: NewEvent | None = None,
) -> None:
    """Post the SMS that carries a code, with its event. One statement. Raises QuotaExceeded."""
    draft = SmsDraft(
        message_id=new.message_id,
        kind=KIND,
        number=number,
        locale=languages.of_mail(customer, user=user, context=context),
        expires_at=context.now + timedelta(seconds=customer.code_lifetime),
        facts=code_mails.facts_of(new, customer),
        user_id=user.id,
        sandbox_key_id=context.sandbox_key_id,
        code_set=new.set_name,
        credentials_version=user.credentials_version,
    )
    quota = None if context.sandbox_key_id else customer.sms_quota
    sms.post(
        draft=draft,
        branding=customer.branding,
        sender=customer.sms_sender if customer.owner_is_proven else "",
        quota=quota,
        now=context.now,
        event=event,
    )


def rules_for(user: User, number: str, *, customer: CustomerState, context: RequestContext) -> list[Rule]:
    """The limits on asking for an SMS: for one number, one user, one network, one customer."""
    return [
        limits.rule(customer.limit(limits.SMS_PER_NUMBER), customer.id, keyed_digests.of(number)),
        limits.rule(customer.limit(limits.SMS_PER_USER), customer.id, str(user.id)),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(context.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]


def _code_set(customer: CustomerState, user: User, number: str, context: RequestContext) -> CodeSet:
    """The codes for this number. A change of credentials makes it another set: codes sent before are void."""
    bound_to = f"{number} {user.credentials_version}"
    return CodeSet(customer.id, str(user.id), ENROL_PHONE, bound_to=bound_to, in_sandbox=context.in_sandbox)


def _remember(user: User, number: str, now: datetime) -> None:
    directory.hold(user.id)
    row = Phone.objects.filter(user=user).first() or Phone(id=new_id(), user=user, created_at=now)
    sealed.write(row, "pending_number", number.encode())
    row.save()
