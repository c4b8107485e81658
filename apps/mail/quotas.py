"""Quotas: one SQL statement counts a message and inserts it with its event, so that it exists exactly if it was counted.

That holds under any concurrency and without Valkey (docs/decisions/0002-quota-in-the-mail-statement.md). A mail counts one, an
SMS the segments that a carrier charges for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from apps.audit import events
from apps.audit.events import NewEvent
from apps.core import prepared
from apps.mail import turns
from apps.mail.errors import QuotaExceeded
from apps.mail.models import MailQuotaUse, Message, QuotaUse, SmsQuotaUse

CODES_PER_DAY, CODES_PER_MONTH = "codes_per_day", "codes_per_month"
SMS_PER_DAY, SMS_PER_MONTH = "sms_per_day", "sms_per_month"


@dataclass(frozen=True)
class Quota:
    """How much a customer may send in a UTC day and a UTC month. `of`: the customer who pays, if not the message's own."""

    daily: int
    monthly: int
    of: UUID | None = None


@dataclass(frozen=True)
class Meter:
    """Where messages of a kind are counted, and how refusals name the limits."""

    model: type[QuotaUse]
    per_day: str
    per_month: str


MAILS = Meter(MailQuotaUse, CODES_PER_DAY, CODES_PER_MONTH)
SMS = Meter(SmsQuotaUse, SMS_PER_DAY, SMS_PER_MONTH)

# Each is the condition under which a message is inserted: a query that gives one row, or none.
# Days and months only go forward: of two requests around midnight, the one that arrives later may have the earlier date.
COUNTED = """
    INSERT INTO {table} AS a (customer_id, day, sent_today, month, sent_this_month)
    SELECT %(payer)s, %(day)s, %(amount)s, %(month)s, %(amount)s
    WHERE %(daily)s >= %(amount)s AND %(monthly)s >= %(amount)s
    ON CONFLICT (customer_id) DO UPDATE SET
        sent_today = CASE WHEN a.day < excluded.day THEN %(amount)s ELSE a.sent_today + %(amount)s END,
        sent_this_month = CASE WHEN a.month < excluded.month THEN %(amount)s ELSE a.sent_this_month + %(amount)s END,
        day = GREATEST(a.day, excluded.day),
        month = GREATEST(a.month, excluded.month)
    WHERE (a.day < excluded.day OR a.sent_today + %(amount)s <= %(daily)s)
      AND (a.month < excluded.month OR a.sent_this_month + %(amount)s <= %(monthly)s)
    RETURNING customer_id
"""
# A message that is not sent uses up nothing. But it is refused whenever a sent one would be, so that a spent quota does not tell
# who has an account.
CHECKED = """
    SELECT 1
    WHERE %(daily)s >= %(amount)s AND %(monthly)s >= %(amount)s AND NOT EXISTS (
        SELECT 1 FROM {table} AS a
        WHERE a.customer_id = %(payer)s
          AND (a.day >= %(day)s AND a.sent_today + %(amount)s > %(daily)s
               OR a.month >= %(month)s AND a.sent_this_month + %(amount)s > %(monthly)s)
    )
"""
UNLIMITED = "SELECT 1"

INSERT = f"""
INSERT INTO mail_message (id, customer_id, user_id, kind, channel, locale, recipient, content, state, attempts, created_at,
                          next_try_at, leased_until, enqueued_at, expires_at, sandbox_key_id, code_set, last_error,
                          credentials_version, turn)
SELECT %(id)s, %(customer_id)s, %(user_id)s, %(kind)s, %(channel)s, %(locale)s, %(recipient)s, %(content)s, %(state)s, 0, %(now)s,
       %(now)s, NULL, %(now)s, %(expires_at)s, %(sandbox_key_id)s, %(code_set)s, '', %(credentials_version)s, {turns.NEXT}
FROM allowed
"""  # noqa: S608  (our own SQL)


def insert_counting(
    message: Message, meter: Meter, quota: Quota | None, *, amount: int = 1, event: NewEvent | None = None
) -> None:
    """Count, and insert the message. Without a quota nothing is counted. Raises QuotaExceeded.

    `event`: what the message belongs to. It is written with it, or not at all.
    """
    _insert(message, COUNTED, meter, quota, amount, event)


def insert_checking(
    message: Message, meter: Meter, quota: Quota | None, *, amount: int = 1, event: NewEvent | None = None
) -> None:
    """Insert the message and its event if it could be counted, and count nothing. Raises QuotaExceeded."""
    _insert(message, CHECKED, meter, quota, amount, event)


def refusal_now(quota: Quota, meter: Meter, *, of: UUID, now: datetime, amount: int = 1) -> QuotaExceeded | None:
    """What one more message would be refused with now; None if it would be counted. Counts nothing."""
    facts = _amounts(quota, payer=quota.of or of, amount=amount, today=now.date())
    with connection.cursor() as cursor:
        cursor.execute(CHECKED.format(table=meter.model._meta.db_table), facts)
        allowed = cursor.fetchone() is not None
    return None if allowed else _refusal(quota.of or of, meter, quota, amount, now)


def _insert(
    message: Message, condition: str, meter: Meter, quota: Quota | None, amount: int, event: NewEvent | None
) -> None:
    """One statement. Raises QuotaExceeded when it inserts nothing."""
    statement = _statement(condition if quota else UNLIMITED, meter, with_event=event is not None)
    parameters = {**_of_message(message), **_of_quota(message, quota, amount), **(event.parameters() if event else {})}
    with prepared.cursor() as cursor:
        cursor.execute(statement, parameters)
        inserted = cursor.rowcount == 1
    if quota and not inserted:
        raise _refusal(quota.of or message.customer_id, meter, quota, amount, message.created_at)


@lru_cache
def _statement(condition: str, meter: Meter, *, with_event: bool) -> str:
    allowed = f"allowed AS ({condition.format(table=meter.model._meta.db_table)})"
    recorded = f", recorded AS ({events.INSERT} FROM allowed)" if with_event else ""
    return f"WITH {allowed}{recorded}{INSERT}"


def _of_message(message: Message) -> dict[str, Any]:
    names = (
        *("id", "customer_id", "user_id", "kind", "channel", "locale", "recipient", "content", "state"),
        *("expires_at", "sandbox_key_id", "code_set", "credentials_version"),
    )
    return {**{name: getattr(message, name) for name in names}, "now": message.created_at}


def _of_quota(message: Message, quota: Quota | None, amount: int) -> dict[str, Any]:
    if quota is None:
        return {}
    payer = quota.of or message.customer_id
    return _amounts(quota, payer=payer, amount=amount, today=message.created_at.date())


def _amounts(quota: Quota, *, payer: UUID, amount: int, today: date) -> dict[str, Any]:
    return {
        "day": today,
        "month": today.replace(day=1),
        "payer": payer,
        "daily": quota.daily,
        "monthly": quota.monthly,
        "amount": amount,
    }


def _refusal(customer_id: UUID, meter: Meter, quota: Quota, amount: int, now: datetime) -> QuotaExceeded:
    """Says which of the two quotas is spent, and when it opens again."""
    month = now.date().replace(day=1)
    used = meter.model.objects.of(customer_id).filter(month__gte=month).first()
    sent_this_month = used.sent_this_month if used else 0
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if sent_this_month + amount > quota.monthly:
        opens, limit = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1), meter.per_month
    else:
        opens, limit = midnight + timedelta(days=1), meter.per_day
    return QuotaExceeded(limit=limit, retry_after=(opens - now).total_seconds())
