"""Which customers are nearest to the end of a quota: of the day or of the month (UTC), of code mails or SMS."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.figures.reading import Customers
from apps.mail.quotas import MAILS, SMS

# What is noted of another day or month is of the past. One row for each customer: this does not grow with what is sent.
USED = f"""
SELECT customer.id, customer.name, quota.name, quota.used, quota.most
FROM customers_customer AS customer
LEFT JOIN mail_mailquotause AS mails ON mails.customer_id = customer.id
LEFT JOIN mail_smsquotause AS sms ON sms.customer_id = customer.id
CROSS JOIN LATERAL (VALUES
    ('{MAILS.per_day}', CASE WHEN mails.day = %(day)s THEN mails.sent_today END, customer.daily_code_quota),
    ('{MAILS.per_month}', CASE WHEN mails.month = %(month)s THEN mails.sent_this_month END, customer.monthly_code_quota),
    ('{SMS.per_day}', CASE WHEN sms.day = %(day)s THEN sms.sent_today END, customer.daily_sms_quota),
    ('{SMS.per_month}', CASE WHEN sms.month = %(month)s THEN sms.sent_this_month END, customer.monthly_sms_quota)
) AS quota (name, used, most)
WHERE quota.used > 0 AND quota.used >= quota.most * %(share)s AND (%(all)s OR customer.id = ANY(%(customers)s))
ORDER BY quota.used::float8 / greatest(quota.most, 1) DESC, customer.name, quota.name
LIMIT %(most)s
"""  # noqa: S608  (our own constants)


@dataclass(frozen=True)
class QuotaState:
    """How much of one quota a customer has used. `quota`: its stable name, as refusals say it."""

    customer_id: UUID
    customer: str
    quota: str
    used: int
    allowed: int

    @property
    def share(self) -> float:
        """Above 1 where the quota was made smaller than what is used already."""
        return self.used / max(self.allowed, 1)


def nearest(customers: Customers, *, now: datetime, share: float = 0.0, most: int = 5) -> list[QuotaState]:
    """The quotas of these customers (None: of all) of which at least this share is used, the fullest first."""
    facts: dict[str, Any] = {
        "day": now.date(),
        "month": now.date().replace(day=1),
        "share": share,
        "all": customers is None,
        "customers": list(customers or ()),
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(USED, facts)
        return [QuotaState(*row) for row in cursor.fetchall()]
