"""Mails that tell an operator what has been changed about their own sign-in."""

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import translation

from apps.core.context import RequestContext
from apps.customers import operator_mails
from apps.customers.operator_mails import OperatorDraft, OperatorMail
from apps.tokens import devices

PASSWORD_CHANGED, FACTORS_RESET, FACTOR_ADDED, FACTOR_REMOVED = (
    "password_changed",
    "factors_reset",
    "factor_added",
    "factor_removed",
)


def post(operator: User, what: str, context: RequestContext, **facts: str) -> None:
    """Tell the operator, in the caller's transaction. `facts`: who did it and why, if somebody else."""
    address = operator_mails.address_of(operator)
    if not address:
        return
    page = f"{settings.PUBLIC_URL}{reverse('admin:forgotten_password')}"
    known = {"device": devices.name_of(context.user_agent), "ip": context.ip or "", "admin_link": page}
    draft = OperatorDraft(
        kind=OperatorMail.NOTICE,
        address=address,
        locale=translation.get_language() or "",
        facts={"what": what, "time": f"{context.now:%Y-%m-%d %H:%M} UTC", **known, **facts},
    )
    operator_mails.post(draft, now=context.now)
