"""A mail by which an operator sees how a customer's mails look and whether they arrive: by the same queue as all others."""

from datetime import timedelta

from django.db import transaction

from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import state
from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.outbox import MailDraft

MAIL = "test_mail"
KEPT_TRYING = timedelta(minutes=10)  # as long as a code is good by default
EXAMPLE = {"code": "123456", "spelled_code": "1 2 3 4 5 6", "minutes": 10}


def send(customer: Customer, recipient: str, *, language: str, context: RequestContext) -> None:
    """Post it. It uses up no quota, and its code opens nothing."""
    draft = MailDraft(
        message_id=new_id(),
        kind=MAIL,
        recipient=recipient,
        locale=language,
        expires_at=context.now + KEPT_TRYING,
        facts=EXAMPLE,
    )
    branding = state.read_anew(customer.id).branding
    with transaction.atomic():
        outbox.post(draft=draft, branding=branding, quota=None, now=context.now)
        details = {"message": str(draft.message_id)}
        events.record(action=actions.TEST_MAIL_SENT, customer_id=customer.id, context=context, details=details)
