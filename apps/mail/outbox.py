"""Posting mail: a row is written in the transaction that the mail belongs to, and a worker sends it.

The statement that inserts a message also counts it against its customer's quota (`quotas`), and records its event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import JSONObject

from apps.audit.events import NewEvent
from apps.core import sealed
from apps.core.lookups import RowLookup
from apps.mail import ledger, quotas, tasks
from apps.mail.content import Branding, Content, MailToRender, Sms
from apps.mail.errors import NothingToResend
from apps.mail.models import Channel, LedgerStep, Message, MessageState
from apps.mail.quotas import Quota

RESENDABLE = (MessageState.FAILED, MessageState.QUEUED)
DESTINED = ("recipient", "user_id", "state", "credentials_version", "locale")  # what a Destination is made of
UNSENT = (MessageState.QUEUED, MessageState.TAKEN, MessageState.FAILED)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What every message needs before it is posted. `facts`, for its template, may hold a code, so they are never printed.

    `asked_locale`: the language that recipient or request asked for; `locale`: the language it is written in.
    """

    message_id: UUID
    kind: str
    locale: str
    expires_at: datetime
    facts: Mapping[str, Any] = field(repr=False)
    user_id: UUID | None = None
    sandbox_key_id: str = ""
    asked_locale: str = ""
    code_set: str = ""  # that its code belongs to
    credentials_version: int | None = None  # of the user, if its code or link opens the account


@dataclass(frozen=True, kw_only=True)
class MailDraft(Draft):
    """A mail to be posted."""

    recipient: str


@dataclass(frozen=True)
class Destination:
    """The address and the user of a message, whether it was suppressed, and the language that the recipient had asked for."""

    recipient: str
    user_id: UUID | None  # None: nobody had the address then
    suppressed: bool
    credentials_version: int | None
    locale: str = ""


def post(
    *, draft: MailDraft, branding: Branding, quota: Quota | None, now: datetime, event: NewEvent | None = None
) -> Message:
    """Count one code mail, insert it, and record its event: one statement. A worker is told after the commit. Raises QuotaExceeded.

    Without a `quota` nothing is counted: for the sandbox, which sends nothing.
    """
    message = _message(draft, branding, now)
    quotas.insert_counting(message, quotas.MAILS, quota, event=event)
    announce(message)
    return message


def suppress(
    *, draft: MailDraft, branding: Branding, quota: Quota | None, now: datetime, event: NewEvent | None = None
) -> Message:
    """Insert a message that will not be sent, with the same work and refusals as `post`: so neither tells anything about the recipient.

    Uses up no quota. Raises QuotaExceeded when `post` would; without a `quota`, never.
    """
    message = _message(draft, branding, now)
    message.state = MessageState.SUPPRESSED
    message.content = ""
    quotas.insert_checking(message, quotas.MAILS, quota, event=event)
    announce(message)
    return message


def resend(*, message: Message, now: datetime) -> None:
    """Queue a message again: one that failed, or waits for its next try. Raises NothingToResend for any other.

    A sent or expired message has no content left, and one that a worker holds is being sent already.
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
        transaction.on_commit(lambda: tasks.enqueue(message.id, was_tried=message.attempts > 0))


def sandbox_messages(key_id: str) -> QuerySet[Message]:
    """What would have been sent by this test key."""
    return Message.objects.filter(sandbox_key_id=key_id, state=MessageState.SANDBOXED)


def _unspent(message_id: UUID) -> "QuerySet[Message]":
    return Message.objects.filter(id=message_id, code_spent_at=None).exclude(recipient="")


_UNSPENT: RowLookup[UUID, Message] = RowLookup(_unspent)


def destination_of(message_id: UUID) -> Destination | None:
    """Where the code of a message went. None if the code is spent, the recipient has been erased, or there is no such message."""
    row = _UNSPENT.first(message_id)
    return _destination(**{name: getattr(row, name) for name in DESTINED}) if row else None


def destinations(message_id: UUID) -> "QuerySet[Message, Any]":
    """The same as a part of another query, in JSON that `destination_in` reads."""
    return _unspent(message_id).order_by().values_list(JSONObject(**{name: name for name in DESTINED}))


def destination_in(document: Mapping[str, Any] | None) -> Destination | None:
    """What `destinations` has found."""
    if document is None:
        return None
    user_id = document["user_id"]
    return _destination(**{**document, "user_id": UUID(user_id) if user_id else None})


def _destination(*, state: str, **facts: Any) -> Destination:
    return Destination(suppressed=state == MessageState.SUPPRESSED, **facts)


def withdraw(*, user_id: UUID, before: int) -> None:
    """Suppress unsent messages to the user that carry a code or link of an earlier version of the credentials."""
    void = Message.objects.filter(user_id=user_id, credentials_version__lt=before, state__in=UNSENT)
    void.exclude(content="").update(state=MessageState.SUPPRESSED, content="", leased_until=None, last_error="")


def content_of(message: Message) -> Content | Sms:
    """The mail or SMS as it is sent. Raises DecryptionFailed."""
    document = sealed.read(message, "content")
    return MailToRender.from_json(document).render() if message.channel == Channel.EMAIL else Sms.from_json(document)


def announce(message: Message) -> None:
    """Tell a worker after the commit. Suppressed messages too, although it finds nothing to do: so both cost the same."""
    if not message.sandbox_key_id:
        transaction.on_commit(lambda: tasks.enqueue(message.id))


def _message(draft: MailDraft, branding: Branding, now: datetime) -> Message:
    mail = MailToRender(kind=draft.kind, locale=draft.locale, branding=branding, facts=draft.facts)
    row = row_for(draft, Channel.EMAIL, draft.recipient, branding=branding, now=now)
    sealed.write(row, "content", mail.to_json())
    return row


def row_for(draft: Draft, channel: Channel, recipient: str, *, branding: Branding, now: datetime) -> Message:
    """The draft's row, unsaved and without content. Operators see `recipient`."""
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
