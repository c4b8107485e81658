"""Posting mail: the row that says "this must go out" is written with what it belongs to, and a worker does the rest.

A code's mail and the allowance it uses up are one SQL statement, so a message exists exactly when it was counted, under
any concurrency (docs/decisions/0002-quota-in-the-mail-statement.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.core import sealed
from apps.mail import content, ledger, tasks
from apps.mail.content import Branding
from apps.mail.errors import NothingToResend, QuotaExceeded
from apps.mail.models import Allowance, LedgerStep, Message, MessageState

CODES_PER_DAY, CODES_PER_MONTH = "codes_per_day", "codes_per_month"
RESENDABLE = (MessageState.FAILED, MessageState.QUEUED)


@dataclass(frozen=True)
class Draft:
    """A mail to be posted. `context` may hold a code, so it is never printed."""

    message_id: UUID
    kind: str
    recipient: str
    locale: str
    expires_at: datetime
    context: Mapping[str, Any] = field(repr=False)
    user_id: UUID | None = None
    sandbox_key_id: str = ""


@dataclass(frozen=True)
class Destination:
    """The address a message was for, and whether it was kept from going there."""

    recipient: str
    suppressed: bool


@dataclass(frozen=True)
class Quota:
    """How many code mails a customer may send in a UTC day and a UTC month."""

    daily: int
    monthly: int


INSERT = """
INSERT INTO mail_message (id, customer_id, user_id, kind, recipient, content, state, attempts, created_at, next_try_at,
                          leased_until, expires_at, sandbox_key_id, last_error)
SELECT %(id)s, customer_id, %(user_id)s, %(kind)s, %(recipient)s, %(content)s, %(state)s, 0, %(now)s, %(now)s,
       NULL, %(expires_at)s, %(sandbox_key_id)s, ''
"""

# Days and months only go forward: of two requests about midnight, the later to arrive may have the earlier date.
COUNT_AND_INSERT = (
    """
WITH allowed AS (
    INSERT INTO mail_allowance AS a (customer_id, day, sent_today, month, sent_this_month)
    SELECT %(customer_id)s, %(day)s, 1, %(month)s, 1 WHERE %(daily)s >= 1 AND %(monthly)s >= 1
    ON CONFLICT (customer_id) DO UPDATE SET
        sent_today = CASE WHEN a.day < excluded.day THEN 1 ELSE a.sent_today + 1 END,
        sent_this_month = CASE WHEN a.month < excluded.month THEN 1 ELSE a.sent_this_month + 1 END,
        day = GREATEST(a.day, excluded.day),
        month = GREATEST(a.month, excluded.month)
    WHERE (a.day < excluded.day OR a.sent_today < %(daily)s)
      AND (a.month < excluded.month OR a.sent_this_month < %(monthly)s)
    RETURNING customer_id
)
"""
    + INSERT
    + "FROM allowed"
)

# A message that is not sent uses up nothing; but where a sent one would be refused it is refused too, so that a spent
# quota does not tell who has an account.
CHECK_AND_INSERT = (
    INSERT  # noqa: S608  (joined from constants)
    + """
FROM (SELECT %(customer_id)s AS customer_id) AS asking
WHERE %(daily)s >= 1 AND %(monthly)s >= 1 AND NOT EXISTS (
    SELECT 1 FROM mail_allowance AS a
    WHERE a.customer_id = asking.customer_id
      AND (a.day >= %(day)s AND a.sent_today >= %(daily)s OR a.month >= %(month)s AND a.sent_this_month >= %(monthly)s)
)
"""
)


def post(*, draft: Draft, branding: Branding, quota: Quota | None, now: datetime) -> Message:
    """Count one code mail and insert it: one statement. Raises QuotaExceeded. A worker is told after the commit.

    Without a `quota` nothing is counted: for the sandbox, from which nothing is sent.
    """
    message = _message(draft, branding, now)
    _insert(message, COUNT_AND_INSERT, quota)
    _announce(message)
    return message


def suppress(*, draft: Draft, branding: Branding, quota: Quota | None, now: datetime) -> Message:
    """Insert a message that will not go out, with the work and the refusals of `post`: neither tells of the recipient.

    Uses up no allowance. Raises QuotaExceeded when `post` would; without a `quota`, never.
    """
    message = _message(draft, branding, now)
    message.state = MessageState.SUPPRESSED
    message.content = ""
    _insert(message, CHECK_AND_INSERT, quota)
    _announce(message)
    return message


def resend(*, message: Message, now: datetime) -> None:
    """Queue a message again: one that failed, or waits for its next try. Raises NothingToResend for any other.

    A sent or expired one has no content left, and one in a worker's hands is being sent already.
    """
    with transaction.atomic():
        changed = (
            Message.objects.filter(id=message.id, expires_at__gt=now, state__in=RESENDABLE)
            .exclude(content="")
            .update(state=MessageState.QUEUED, next_try_at=now, leased_until=None)
        )
        if not changed:
            raise NothingToResend
        ledger.note(message_id=message.id, step=LedgerStep.RESENT, now=now)
        transaction.on_commit(lambda: tasks.hand_over(message.id))


def sandbox_messages(key_id: str) -> QuerySet[Message]:
    """What would have been sent by this test key."""
    return Message.objects.filter(sandbox_key_id=key_id, state=MessageState.SANDBOXED)


def destination_of(message_id: UUID) -> Destination | None:
    """Where a message went, or None if there is no such message."""
    found = Message.objects.filter(id=message_id).values_list("recipient", "state").first()
    return Destination(found[0], suppressed=found[1] == MessageState.SUPPRESSED) if found else None


def content_of(message: Message) -> content.Content:
    """The rendered mail, decrypted. Raises DecryptionFailed."""
    return content.Content.from_json(sealed.read(message, "content"))


def _announce(message: Message) -> None:
    """Tell a worker, after the commit. Of a suppressed message too, though it finds nothing to do: both cost the same."""
    if not message.sandbox_key_id:
        transaction.on_commit(lambda: tasks.hand_over(message.id))


def _message(draft: Draft, branding: Branding, now: datetime) -> Message:
    message = Message(
        id=draft.message_id,
        customer_id=branding.customer_id,
        user_id=draft.user_id,
        kind=draft.kind,
        recipient=draft.recipient,
        state=MessageState.SANDBOXED if draft.sandbox_key_id else MessageState.QUEUED,
        created_at=now,
        next_try_at=now,
        expires_at=draft.expires_at,
        sandbox_key_id=draft.sandbox_key_id,
    )
    rendered = content.render(kind=draft.kind, locale=draft.locale, branding=branding, context=draft.context)
    sealed.write(message, "content", rendered.to_json())
    return message


def _insert(message: Message, statement: str, quota: Quota | None) -> None:
    """One statement. Raises QuotaExceeded when it inserts nothing."""
    if quota is None:
        message.save(force_insert=True)
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(message, quota, message.created_at.date()))
        inserted = cursor.rowcount == 1
    if not inserted:
        raise _quota_exceeded(message.customer_id, quota, message.created_at)


def _parameters(message: Message, quota: Quota, today: date) -> dict[str, Any]:
    names = ("id", "customer_id", "user_id", "kind", "recipient", "content", "state", "expires_at", "sandbox_key_id")
    return {
        **{name: getattr(message, name) for name in names},
        "now": message.created_at,
        "day": today,
        "month": today.replace(day=1),
        "daily": quota.daily,
        "monthly": quota.monthly,
    }


def _quota_exceeded(customer_id: UUID, quota: Quota, now: datetime) -> QuotaExceeded:
    """Which of the two is spent, and when it opens again."""
    used = Allowance.objects.filter(customer_id=customer_id, month__gte=now.date().replace(day=1)).first()
    sent_this_month = used.sent_this_month if used else 0
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if sent_this_month >= quota.monthly:
        opens, limit = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1), CODES_PER_MONTH
    else:
        opens, limit = midnight + timedelta(days=1), CODES_PER_DAY
    return QuotaExceeded(limit=limit, retry_after=(opens - now).total_seconds())
