"""Whose turn it is: customers in rounds, one message each, so that nobody waits behind the many messages of another customer.

A message that is posted joins the round after the last that its customer waits in, or the one at hand. Workers take rounds in
their order, and within one the oldest message first. So it is fair at any speed of the mail server (round robin); a customer's own
messages keep their order. A message that was tried before stands in no line: it has a time of its own.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.core.ids import new_id
from apps.core.row_lease import RowLease
from apps.mail.models import Message

# The round that a message joins. Of two that are posted at the same moment both may join the same: no harm, and nobody waits.
NEXT = """GREATEST(
    (SELECT max(turn) + 1 FROM mail_message WHERE customer_id = %(customer_id)s AND state = 'queued' AND attempts = 0),
    (SELECT min(turn) FROM mail_message WHERE state = 'queued' AND attempts = 0),
    0)"""

# One statement: as a transaction of three, Django's own, it took most of a worker's time.
TAKE = """
WITH due AS (
    SELECT id FROM mail_message
    WHERE state = 'queued' AND attempts = 0 AND next_try_at <= %(now)s AND expires_at > %(now)s AND content <> ''
    ORDER BY turn, created_at LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE mail_message AS message SET state = 'taken', attempts = 1, leased_until = %(until)s, enqueued_at = NULL
    FROM due WHERE message.id = due.id
    RETURNING message.*
), noted AS (
    INSERT INTO mail_ledgerentry (id, message_id, at, step, server, answer)
    SELECT %(entry_id)s, id, %(now)s, 'taken', '', '' FROM taken
)
SELECT {columns} FROM taken
"""


def take(*, now: datetime, length: timedelta) -> RowLease[Message] | None:
    """Take the message whose turn it is, of those that no other worker is taking, and write that down. None if there is none."""
    columns = [field.attname for field in Message._meta.concrete_fields]
    facts: dict[str, Any] = {"now": now, "until": now + length, "entry_id": new_id()}
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(columns=", ".join(columns)), facts)
        found = cursor.fetchone()
    return RowLease(Message.from_db(connection.alias, columns, found), length, taken_at=now) if found else None
