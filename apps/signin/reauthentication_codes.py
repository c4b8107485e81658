"""Codes by which a user who is signed in proves once more who they are: sent for one session, and good in that alone."""

from uuid import UUID

from apps.audit import actions
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.factors import phones
from apps.factors.methods import SMS
from apps.otp import code_mails, code_store, new_codes
from apps.otp.code_sets import CodeSet
from apps.otp.purposes import REAUTHENTICATE_EMAIL, REAUTHENTICATE_SMS
from apps.signin.errors import MethodNotOffered
from apps.signin.second_factor_codes import SentCode
from apps.users import user_events
from apps.users.models import User

MAIL = "reauthentication_code"


def send(method: str, *, user: User, session_id: UUID, customer: CustomerState, context: RequestContext) -> SentCode:
    """Send a code by EMAIL or SMS.

    Raises MethodNotOffered, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable or ValkeyUnavailable.
    """
    recipient = _recipient(method, user, context)
    code_set = code_set_of(method, user=user, session_id=session_id, customer=customer, context=context)
    new = new_codes.new(code_set, customer)
    rules = _rules(session_id, customer, context)
    event = user_events.of_own(actions.REAUTHENTICATION_ASKED, user, context, method=method, session=str(session_id))
    with code_store.issued(code_set, new, customer=customer, rules=rules):
        if method == SMS:
            phones.post_code(recipient, new, user=user, customer=customer, context=context, event=event)
        else:
            draft = code_mails.draft(
                kind=MAIL, new=new, customer=customer, user=user, recipient=recipient, context=context
            )
            code_mails.post(draft, customer=customer, user=user, receives=True, now=context.now, event=event)
    return SentCode(customer.code_lifetime, customer.code_resend_after)


def code_set_of(
    method: str, *, user: User, session_id: UUID, customer: CustomerState, context: RequestContext
) -> CodeSet:
    """The codes of this session. They are worthless once the user's address, number or credentials have changed.

    Raises MethodNotOffered if there is no number, or if the holder of a test key could read an administrator's code.
    """
    purpose = REAUTHENTICATE_SMS if method == SMS else REAUTHENTICATE_EMAIL
    return CodeSet(
        customer.id,
        f"{user.id} {session_id}",
        purpose,
        bound_to=f"{_recipient(method, user, context)} {user.credentials_version}",
        in_sandbox=context.in_sandbox,
    )


def _recipient(method: str, user: User, context: RequestContext) -> str:
    """Where codes of this method go. Raises MethodNotOffered."""
    if method != SMS:
        return user.email
    number = None if code_mails.is_kept_from(user, context.sandbox_key_id) else phones.number_of(user.id)
    if number is None:
        raise MethodNotOffered
    return number


def _rules(session_id: UUID, customer: CustomerState, context: RequestContext) -> list[Rule]:
    """Counted for the session, so that a thief of its token does not use up what the user needs to sign in."""
    return [
        limits.rule(customer.limit(limits.CODES_PER_EMAIL), customer.id, "reauthenticate", str(session_id)),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(context.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]
