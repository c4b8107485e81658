"""Posting mail: the row that says "this must go out" is written with what it belongs to, and a worker does the rest.

What a message uses up of its customer's quota is counted in the statement that inserts it (`allowances`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.core import sealed
from apps.mail import content, ledger, quotas, tasks
from apps.mail.content import Branding
from apps.mail.errors import NothingToResend
from apps.mail.models import Channel, LedgerStep, Message, MessageState
from apps.mail.quotas import Quota

RESENDABLE = (MessageState.FAILED, MessageState.QUEUED)
UNSENT = (MessageState.QUEUED, MessageState.TAKEN, MessageState.FAILED)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What there is to say of any message. `facts`, what its template reads, may hold a code: never printed.

    `asked_locale`: what recipient or request asked for; `locale`: what it is written in.
    """

    message_id: UUID
    kind: str
    locale: str
    expires_at: datetime
    facts: Mapping[str, Any] = field(repr=False)
    user_id: UUID | None = None
    sandbox_key_id: str = ""
    asked_locale: str = ""
    code_set: str = ""  # of which the code is that it carries
    credentials_version: int | None = None  # of the user, if what it carries opens the account


@dataclass(frozen=True, kw_only=True)
class MailDraft(Draft):
    """A mail to be posted."""

    recipient: str


@dataclass(frozen=True)
class Destination:
    """The address and the user that a message was for, whether it was kept from going there, and in which language the
    recipient had asked for it.
    """

    recipient: str
    user_id: UUID | None  # None: nobody had the address then
    suppressed: bool
    credentials_version: int | None
    locale: str = ""


def post(*, draft: MailDraft, branding: Branding, quota: Quota | None, now: datetime) -> Message:
    """Count one code mail and insert it: one statement. Raises QuotaExceeded. A worker is told after the commit.

    Without a `quota` nothing is counted: for the sandbox, from which nothing is sent.
    """
    message = _message(draft, branding, now)
    quotas.insert_counting(message, quotas.MAILS, quota)
    announce(message)
    return message


def suppress(*, draft: MailDraft, branding: Branding, quota: Quota | None, now: datetime) -> Message:
    """Insert a message that will not go out, with the work and the refusals of `post`: neither tells of the recipient.

    Uses up no allowance. Raises QuotaExceeded when `post` would; without a `quota`, never.
    """
    message = _message(draft, branding, now)
    message.state = MessageState.SUPPRESSED
    message.content = ""
    quotas.insert_checking(message, quotas.MAILS, quota)
    announce(message)
    return message


def resend(*, message: Message, now: datetime) -> None:
    """Queue a message again: one that failed, or waits for its next try. Raises NothingToResend for any other.

    A sent or expired one has no content left, and one in a worker's hands is being sent already.
    """
    with transaction.atomic():
        changed = (
            Message.objects.filter(id=message.id, expires_at__gt=now, state__in=RESENDABLE)
            .exclude(content="")
            .update(state=MessageState.QUEUED, next_try_at=now, leased_until=None, enqueued_at=now)
        )
        if not changed:
            raise NothingToResend
        ledger.note(message_id=message.id, step=LedgerStep.RESENT, now=now)
        transaction.on_commit(lambda: tasks.enqueue(message.id))


def sandbox_messages(key_id: str) -> QuerySet[Message]:
    """What would have been sent by this test key."""
    return Message.objects.filter(sandbox_key_id=key_id, state=MessageState.SANDBOXED)


def destination_of(message_id: UUID) -> Destination | None:
    """Where the code of a message went. None if it is spent, or was to somebody who has been erased since, or no message is there."""
    row = Message.objects.filter(id=message_id, code_spent_at=None).exclude(recipient="").defer("content").first()
    if row is None:
        return None
    return Destination(
        recipient=row.recipient,
        user_id=row.user_id,
        suppressed=row.state == MessageState.SUPPRESSED,
        credentials_version=row.credentials_version,
        locale=row.locale,
    )


def withdraw(*, user_id: UUID, before: int) -> None:
    """Keep back what has not gone out to the user, and carries a code or a link of an earlier version of the credentials."""
    void = Message.objects.filter(user_id=user_id, credentials_version__lt=before, state__in=UNSENT)
    void.exclude(content="").update(state=MessageState.SUPPRESSED, content="", leased_until=None, last_error="")


def content_of(message: Message) -> content.Content | content.Sms:
    """The rendered mail or SMS, decrypted. Raises DecryptionFailed."""
    kind = content.Content if message.channel == Channel.EMAIL else content.Sms
    return kind.from_json(sealed.read(message, "content"))


def announce(message: Message) -> None:
    """Tell a worker, after the commit. Of a suppressed message too, though it finds nothing to do: both cost the same."""
    if not message.sandbox_key_id:
        transaction.on_commit(lambda: tasks.enqueue(message.id))


def _message(draft: MailDraft, branding: Branding, now: datetime) -> Message:
    mail = content.render(kind=draft.kind, locale=draft.locale, branding=branding, facts=draft.facts)
    row = row_for(draft, Channel.EMAIL, draft.recipient, branding=branding, now=now)
    sealed.write(row, "content", mail.to_json())
    return row


def row_for(draft: Draft, channel: Channel, recipient: str, *, branding: Branding, now: datetime) -> Message:
    """The draft's row, not saved and without content. `recipient` is shown to operators."""
    return Message(
        id=draft.message_id,
        customer_id=branding.customer_id,
        user_id=draft.user_id,
        kind=draft.kind,
        channel=channel,
        locale=draft.asked_locale,
        recipient=recipient,
        state=MessageState.SANDBOXED if draft.sandbox_key_id else MessageState.QUEUED,
        created_at=now,
        next_try_at=now,
        enqueued_at=now,
        expires_at=draft.expires_at,
        sandbox_key_id=draft.sandbox_key_id,
        code_set=draft.code_set,
        credentials_version=draft.credentials_version,
    )
