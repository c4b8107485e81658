"""What would happen if this address signed in now, rule by rule. Each rule is asked by the function that decides in the flow.

Nothing is consumed: limits, quotas and codes are only looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from apps.accounts.inquiry.subject import Circumstances, InquirySubject, mails_of
from apps.api_keys import clients
from apps.api_keys import state as api_keys
from apps.api_keys.clients import ApiClient
from apps.api_keys.errors import ApiKeyRequired, InvalidApiKey
from apps.api_keys.models import Scope
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit import steps
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError
from apps.core.rate_limits import Rule
from apps.core.valkey import ValkeyUnavailable
from apps.customers import allowlist, limits
from apps.customers import state as customers
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.customers.state import CustomerState
from apps.factors import enrolled
from apps.mail import quotas
from apps.mail.models import Message, MessageState
from apps.otp import attempt_limits, closed_accounts, code_attempts, code_requests, code_sets, code_store
from apps.otp.purposes import LOGIN
from apps.signin import by_password, password_lock
from apps.users import lifecycle
from apps.users.emails import Address
from apps.users.models import User, UserStatus

PENDING_EMAIL, PENDING_APPROVAL, REJECTED = "pending_email", "pending_approval", "rejected"
MAIL_FAILED, MAIL_DEFERRED, MAILS_LATE = "mail_failed", "mail_deferred", "mails_late"
LATE = timedelta(minutes=1)
NOT_ASKED = "not_asked"  # for want of an address, a network or a key
OF_A_NETWORK = {limits.CODES_PER_IP, limits.TRIES_PER_EMAIL_AND_IP, limits.TRIES_PER_IP}


@dataclass(frozen=True)
class Check:
    """One rule. `step`: the step of a sign-in that it stands before; empty for each. `refused_by`: None if it lets them through.

    `hinders`: it does not refuse a sign-in, but what comes after it. `used` of `most`: how a limit stands.
    """

    subject: str
    step: str = ""
    refused_by: str | None = None
    frees_at: datetime | None = None
    hinders: bool = False
    used: int | None = None
    most: int | None = None

    @property
    def refuses(self) -> bool:
        return self.refused_by not in (None, NOT_ASKED) and not self.hinders


@dataclass(frozen=True)
class Outlook:
    """All rules, in the order in which they are asked."""

    checks: Sequence[Check]

    def first_refusal(self, step: str) -> Check | None:
        """What would refuse this step; None if nothing would."""
        return next((check for check in self.checks if check.refuses and check.step in ("", step)), None)


def outlook(subject: InquirySubject, known: Circumstances) -> Outlook:
    """Every rule as it stands now."""
    context = RequestContext(now=timezone.now(), ip=known.ip or None, key_id=known.key_id)
    customer = customers.read(subject.customer.id)
    asked = (_entry, _account, _codes, _mail, _password)
    return Outlook([check for ask in asked for check in ask(subject, customer, context)])


def _entry(_subject: InquirySubject, customer: CustomerState, context: RequestContext) -> Iterator[Check]:
    """What is asked of each request, before anything is known about a user."""
    yield _asked("customer", lambda: customers.require_active(customer))
    yield _asked("key", lambda: _require_key(customer, context))
    if context.ip or not customer.networks:
        yield _asked("allowlist", lambda: allowlist.check(customer, context.ip))
    else:
        yield Check("allowlist", refused_by=NOT_ASKED, most=len(customer.networks))


def _require_key(customer: CustomerState, context: RequestContext) -> None:
    """Raises what a call with this key, or with none, would be refused with."""
    if not context.key_id:
        if customer.id != DEFAULT_CUSTOMER_ID:
            raise ApiKeyRequired(rule=NOT_ASKED)
        if settings.REQUIRE_API_KEY:
            raise ApiKeyRequired
        return
    found = api_keys.read(context.key_id)
    if found is None or found[1].id != customer.id:
        raise InvalidApiKey(rule=clients.UNKNOWN_KEY)
    clients.require_working(found[0], context.now)
    clients.require_scope(ApiClient(customer, found[0]), Scope.AUTH)


def _account(subject: InquirySubject, customer: CustomerState, _context: RequestContext) -> Iterator[Check]:
    user = subject.user
    if user is None or user.status != UserStatus.PENDING:
        return
    yield Check("account", refused_by=_waits_for(user, customer), hinders=True)


def _waits_for(user: User, customer: CustomerState) -> str | None:
    check: IdentityCheck | None = getattr(user, "identity_check", None)
    if check is not None and check.state == CheckState.REJECTED:
        return REJECTED
    if lifecycle.status_due(user, customer) == UserStatus.ACTIVE:
        return None
    unproven = customer.demands_verified_email and user.email_verified_at is None
    return PENDING_EMAIL if unproven else PENDING_APPROVAL


def _codes(subject: InquirySubject, customer: CustomerState, context: RequestContext) -> Iterator[Check]:
    address = subject.address
    if address is None:
        yield Check("codes", steps.ASK_FOR_CODE, refused_by=NOT_ASKED)
        return
    withheld = closed_accounts.withheld_by(customer, subject.user, LOGIN)
    yield Check("codes", steps.ASK_FOR_CODE, refused_by=withheld)
    yield from _code_set(customer, address, context)
    yield from _limits(code_requests.rules_for(customer, address, context), steps.ASK_FOR_CODE, context)
    refusal = quotas.refusal_now(customer.quota, quotas.MAILS, of=customer.id, now=context.now)
    yield _refused("quota", refusal, steps.ASK_FOR_CODE, context.now)
    yield from _limits(attempt_limits.rules(customer, address, context), steps.GIVE_CODE, context)
    yield from _limits([attempt_limits.of_network(customer, context)], steps.GIVE_CODE, context)


def _code_set(customer: CustomerState, address: Address, context: RequestContext) -> Iterator[Check]:
    """The wait between two codes, the pause while codes are guessed at, and what is left of the codes on their way."""
    try:
        now_is = code_store.standing(code_requests.code_set_of(customer, address, LOGIN, context), customer)
    except ValkeyUnavailable as error:
        yield Check(code_store.RESEND, steps.ASK_FOR_CODE, refused_by=error.refused_by)
        return
    yield _waiting(code_store.RESEND, now_is.wait, steps.ASK_FOR_CODE, context.now)
    yield _waiting(limits.WRONG_CODES_PER_CUSTOMER, now_is.pause, "", context.now)
    none = None if now_is.living else code_attempts.NO_LIVING_CODE
    yield Check("living_codes", steps.GIVE_CODE, none, hinders=True, used=now_is.living)
    yield Check("wrong_codes", steps.GIVE_CODE, used=now_is.wrong, most=code_sets.BUDGET)


def _limits(rules: Sequence[Rule], step: str, context: RequestContext) -> Iterator[Check]:
    known = [rule for rule in rules if context.ip or rule.limit.name not in OF_A_NETWORK]
    try:
        found = rate_limits.standings(known)
    except ValkeyUnavailable as error:
        yield from (Check(rule.limit.name, step, refused_by=error.refused_by) for rule in known)
        return
    for standing in found:
        check = _waiting(standing.limit.name, standing.wait, step, context.now)
        yield replace(check, used=standing.used, most=standing.limit.count)
    for rule in rules:
        if rule not in known:
            yield Check(rule.limit.name, step, refused_by=NOT_ASKED, most=rule.limit.count)


def _mail(subject: InquirySubject, customer: CustomerState, context: RequestContext) -> Iterator[Check]:
    """How the newest mail to the address fared; and whether mails of this customer wait longer than they should."""
    newest = mails_of(subject).order_by("-created_at", "-id").first()
    late = Message.objects.of(customer.id).filter(
        state=MessageState.QUEUED, next_try_at__lt=context.now - LATE, expires_at__gt=context.now
    )
    if newest is not None and newest.state == MessageState.FAILED:
        yield Check("mail", steps.ASK_FOR_CODE, refused_by=MAIL_FAILED, hinders=True)
    elif newest is not None and newest.state == MessageState.QUEUED and newest.attempts:
        yield Check("mail", steps.ASK_FOR_CODE, MAIL_DEFERRED, frees_at=newest.next_try_at, hinders=True)
    else:
        yield Check("mail", steps.ASK_FOR_CODE, refused_by=MAILS_LATE if late.exists() else None, hinders=True)


def _password(subject: InquirySubject, customer: CustomerState, context: RequestContext) -> Iterator[Check]:
    user = subject.user
    if subject.address is None:
        return
    rule = by_password.refused_by(user, now=context.now)
    locked = user.password.locked_until if user is not None and rule == password_lock.LOCKED else None
    yield Check("password", steps.GIVE_PASSWORD, refused_by=rule, frees_at=locked)
    if user is None:
        return
    closed = attempt_limits.is_closed_to_second_factors(customer, user)
    factors = enrolled.of(user.id).methods
    yield Check(
        "second_factor",
        steps.GIVE_SECOND_FACTOR,
        refused_by=limits.WRONG_CODES_IN_A_ROW if closed else None,
        hinders=True,
        used=len(factors),
    )


def _asked(subject: str, ask: Callable[[], None]) -> Check:
    try:
        ask()
    except GatehouseError as error:
        return Check(subject, refused_by=error.refused_by)
    return Check(subject)


def _refused(subject: str, error: GatehouseError | None, step: str, now: datetime) -> Check:
    if error is None:
        return Check(subject, step)
    return Check(subject, step, error.refused_by, frees_at=now + timedelta(seconds=error.retry_after or 0))


def _waiting(subject: str, wait: float, step: str, now: datetime) -> Check:
    if wait <= 0:
        return Check(subject, step)
    return Check(subject, step, refused_by=subject, frees_at=now + timedelta(seconds=wait))
