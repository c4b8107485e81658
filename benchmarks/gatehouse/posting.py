"""Mails put into the outbox without a request, and when each was put there. Needs the installation's settings."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from apps.core.ids import new_id
from apps.mail import outbox
from apps.mail.content import Branding
from apps.mail.models import Message, MessageState
from apps.mail.outbox import MailDraft, Quota
from config.celery import app

PLENTY = Quota(daily=1_000_000, monthly=1_000_000)
CODE = "482913"


class Customer:
    """Posts mails to addresses of its own: `flood-17@example.com`."""

    def __init__(self, name: str) -> None:
        self._branding = Branding(customer_id=new_id(), name=name, site_domain="example.com")
        self._name = name
        self.posted = 0

    def post(self) -> None:
        now = timezone.now()
        draft = MailDraft(
            message_id=new_id(),
            kind="sign_in_code",
            recipient=f"{self._name}-{self.posted}@example.com",
            locale="en",
            expires_at=now + timedelta(minutes=10),
            facts={"code": CODE, "spelled_code": " ".join(CODE), "minutes": 10},
        )
        outbox.post(draft=draft, branding=self._branding, quota=PLENTY, now=now)
        self.posted += 1


def posted_at(recipients: Iterable[str]) -> Mapping[str, datetime]:
    """When the mails to these were put into the outbox."""
    found = Message.objects.filter(recipient__in=list(recipients)).values_list("recipient", "created_at")
    return dict(found)


def leave_nothing_waiting() -> None:
    """What other jobs have put into the outbox is not sent: no worker was there, and none of it is measured."""
    Message.objects.filter(state=MessageState.QUEUED).update(state=MessageState.SUPPRESSED, content="")
    app.control.purge()
