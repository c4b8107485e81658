"""Codes that are second factors: sent by email or SMS for one challenge, and worth something for that one alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import actions, events
from apps.core.ids import new_id
from apps.core.rate_limits import Rule
from apps.factors import phones
from apps.mail import ledger, outbox
from apps.mail.errors import QuotaExceeded
from apps.otp import codes, drafts, requesting
from apps.otp.codes import NewCode, Place
from apps.otp.purposes import SECOND_FACTOR_EMAIL, SECOND_FACTOR_SMS
from apps.signin.challenges import Opened, Proven
from apps.signin.errors import MethodNotOffered
from apps.signin.requirements import EMAIL
from apps.users import emails

MAIL = "second_factor_code"


def send(opened: Opened, method: str) -> Mapping[str, Any]:
    """Send a code for this challenge. Raises ResendTooSoon, RateLimited, QuotaExceeded, ValkeyUnavailable."""
    proven = opened.proven
    new = NewCode(message_id=new_id(), code=codes.generate(proven.customer))
    purpose = SECOND_FACTOR_EMAIL if method == EMAIL else SECOND_FACTOR_SMS
    place = Place(proven.customer.id, str(opened.row.id), purpose)
    codes.issue(place, new, customer=proven.customer, rules=_rules(proven, method))
    try:
        with transaction.atomic():
            _post(proven, method, new)
    except QuotaExceeded:
        codes.withdraw(place, new.code)
        raise
    return {
        "success": True,
        "expires_in": proven.customer.code_lifetime,
        "resend_in": proven.customer.code_resend_after,
        "message": _("A code is on its way."),
    }


def note_used(message_id: UUID, *, now: datetime) -> None:
    """Write into the ledger that the code of this message was used."""
    ledger.code_used(message_id=message_id, now=now)


def _rules(proven: Proven, method: str) -> list[Rule]:
    if method == EMAIL:
        return requesting.rules_for(proven.customer, emails.parse(proven.user.email), proven.caller)
    return phones.rules_for(proven.user, customer=proven.customer, caller=proven.caller)


def _post(proven: Proven, method: str, new: NewCode) -> None:
    customer, user = proven.customer, proven.user
    events.record(
        action=actions.SECOND_FACTOR_SENT,
        customer_id=customer.id,
        user_id=user.id,
        actor=f"user:{user.id}",
        caller=proven.caller,
        details={"method": method},
        now=proven.now,
    )
    if method == EMAIL:
        _post_mail(proven, new)
    else:
        _post_text(proven, new)


def _post_mail(proven: Proven, new: NewCode) -> None:
    """Nothing goes out where too many wrong codes have closed the account to codes."""
    customer, user, sandbox_key_id = proven.customer, proven.user, proven.caller.sandbox_key_id
    draft = drafts.draft(
        kind=MAIL,
        new=new,
        customer=customer,
        user=user,
        recipient=user.email,
        sandbox_key_id=sandbox_key_id,
        now=proven.now,
    )
    insert = outbox.suppress if requesting.too_many_wrong(customer, user) else outbox.post
    quota = None if sandbox_key_id else customer.quota
    insert(draft=draft, branding=customer.branding, quota=quota, now=proven.now)


def _post_text(proven: Proven, new: NewCode) -> None:
    number = phones.number_of(proven.user.id)
    if number is None:  # removed a moment ago
        raise MethodNotOffered
    phones.post_code(number, new, user=proven.user, customer=proven.customer, caller=proven.caller, now=proven.now)
