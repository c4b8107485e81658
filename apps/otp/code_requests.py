"""Asking for a code: limits and code in Valkey, then mail and event by one statement; the same for every address."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction

from apps.audit import actions, refusals, steps
from apps.audit.events import NewEvent
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.rate_limits import Rule
from apps.core.valkey import ValkeyUnavailable
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.otp import attempt_limits, closed_accounts, code_mails, code_store, fixed_codes, new_codes
from apps.otp.code_sets import CodeSet
from apps.otp.new_codes import NewCode
from apps.otp.purposes import LOGIN, MAILS
from apps.users import directory
from apps.users.emails import Address
from apps.users.models import User

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RequestedCode:
    """What the answer says. `remaining`: how often one may still ask, by limit. Durations in seconds."""

    expires_in: int
    resend_in: int
    remaining: Mapping[str, int]


@dataclass(frozen=True)
class CodeRequest:
    """Somebody asks for a code to be sent to an address. `purpose`: one of `purposes.MAILS`."""

    customer: CustomerState
    address: Address
    purpose: str
    locale: str
    context: RequestContext

    @property
    def code_set(self) -> CodeSet:
        return code_set_of(self.customer, self.address, self.purpose, self.context)


def request_code(request: CodeRequest) -> RequestedCode:
    """Have a code sent. Raises ResendTooSoon, RateLimited, QuotaExceeded or ValkeyUnavailable.

    Whether the address has an account changes neither the answer nor the work.
    """
    customer, identity = request.customer, request.address.identity
    with refusals.recorded(steps.ASK_FOR_CODE, request.context, customer_id=customer.id, address=identity):
        return _request_code(request)


def _request_code(request: CodeRequest) -> RequestedCode:
    fixed = (
        fixed_codes.code_for(request.customer, request.address, now=request.context.now)
        if request.purpose == LOGIN
        else None
    )
    new = new_codes.new(request.code_set, request.customer, fixed=fixed)
    rules = rules_for(request.customer, request.address, request.context)
    with code_store.issued(request.code_set, new, customer=request.customer, rules=rules) as remaining:
        _write(request, new, is_fixed=fixed is not None)
    return RequestedCode(request.customer.code_lifetime, request.customer.code_resend_after, remaining)


def code_set_of(customer: CustomerState, address: Address, purpose: str, context: RequestContext) -> CodeSet:
    """The codes that are sent to this address for this purpose."""
    return CodeSet(customer.id, address.identity, purpose, in_sandbox=context.in_sandbox)


def withdraw_on_commit(customer_id: UUID, identity: str) -> None:
    """Take back all codes that were sent to this address, once the transaction has been committed.

    In the caller's transaction, which closes or erases the account. If Valkey is away then, they open nothing all the same:
    the messages that carried them are void.
    """
    transaction.on_commit(partial(_withdraw, customer_id, identity))


def _withdraw(customer_id: UUID, identity: str) -> None:
    sets = [
        CodeSet(customer_id, identity, purpose, in_sandbox=sandbox) for purpose in MAILS for sandbox in (False, True)
    ]
    try:
        code_store.withdraw_all(sets)
    except ValkeyUnavailable:
        log.warning("codes_not_withdrawn", customer_id=str(customer_id))


def rules_for(customer: CustomerState, address: Address, context: RequestContext) -> list[Rule]:
    """The limits on asking for mail (contract 6). The first is the one that answers speak of."""
    return [
        limits.rule(customer.limit(limits.CODES_PER_EMAIL), customer.id, attempt_limits.counted(address)),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(context.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]


def _write(request: CodeRequest, new: NewCode, *, is_fixed: bool) -> None:
    """Look the user up; post (or suppress) the mail with its event: two statements, for every address.

    The second is a transaction of its own. It decides nothing by the first that may not change in between: which version of the
    user's credentials the code is good for stands in the message.
    """
    customer = request.customer
    user = directory.find(customer.id, request.address.identity)
    withheld = closed_accounts.withheld_by(customer, user, request.purpose)
    event = _event(request, new, user, is_fixed=is_fixed, withheld=withheld)
    draft = code_mails.draft(
        kind=MAILS[request.purpose],
        new=new,
        customer=customer,
        user=user,
        # A known user gets it at the address they gave, not at one that merely compares equal.
        recipient=user.email if user else request.address.typed,
        context=request.context,
        locale=request.locale,
    )
    if is_fixed:  # it is never sent
        outbox.suppress(draft=draft, branding=customer.branding, quota=None, now=request.context.now, event=event)
    else:
        code_mails.post(
            draft, customer=customer, user=user, receives=withheld is None, now=request.context.now, event=event
        )


def _event(request: CodeRequest, new: NewCode, user: User | None, *, is_fixed: bool, withheld: str | None) -> NewEvent:
    """`message` names the mail, whose ledger goes on with the story. `withheld`: the rule by which it is not sent."""
    withheld_by, key = {"withheld": withheld} if withheld else {}, request.context.key_id
    return NewEvent(
        action=actions.CODE_REQUESTED,
        customer_id=request.customer.id,
        user_id=user.id if user else None,
        context=request.context,
        details={
            "purpose": request.purpose,
            "fixed": is_fixed,
            "message": str(new.message_id),
            **withheld_by,
            **({"key_id": key} if key else {}),
        },
    )
