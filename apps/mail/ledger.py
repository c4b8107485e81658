"""The ledger: what happened to a message, step by step. Operators and customers can read it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.ids import new_id
from apps.mail.models import LedgerEntry, LedgerStep, Message

# One statement decides between any number of attempts, spends the other codes of the set, and writes the winner's step.
USE_CODE = """
WITH spent AS (
    UPDATE mail_message SET code_spent_at = %(now)s
    WHERE code_spent_at IS NULL
      AND (id = %(message_id)s OR code_set = %(code_set)s AND code_set <> '' AND expires_at > %(now)s)
    RETURNING id
)
INSERT INTO mail_ledgerentry (id, message_id, at, step, server, answer)
SELECT %(entry_id)s, id, %(now)s, %(step)s, '', '' FROM spent WHERE id = %(message_id)s
"""

# The message is sent, and the answer noted. Servers like to repeat the address, so it is kept only while the message has a
# recipient, which erasing the user removes. The row is locked: of an answer and an erasure at the same moment, the second sees
# the first.
ACCEPT = """
WITH known AS (SELECT id, recipient <> '' AS has_recipient FROM mail_message WHERE id = %(message_id)s FOR UPDATE),
sent AS (
    UPDATE mail_message SET state = 'sent', leased_until = NULL, content = '', last_error = ''
    FROM known WHERE mail_message.id = known.id
)
INSERT INTO mail_ledgerentry (id, message_id, at, step, server, answer)
SELECT %(entry_id)s, id, %(now)s, 'accepted', %(server)s, CASE WHEN has_recipient THEN %(answer)s ELSE '' END FROM known
"""


def note(*, message_id: UUID, step: LedgerStep, now: datetime, server: str = "", answer: str = "") -> None:
    """Write one step. `server` and `answer` are what the mail server was and said."""
    LedgerEntry.objects.create(message_id=message_id, at=now, step=step, server=server[:255], answer=answer[:500])


def accept(*, message_id: UUID, server: str, answer: str, now: datetime) -> None:
    """A mail server has taken the message: its content, which may hold a code, is no longer needed. One statement."""
    facts: dict[str, Any] = {
        "message_id": message_id,
        "server": server[:255],
        "answer": answer[:500],
        "now": now,
        "entry_id": new_id(),
    }
    with connection.cursor() as cursor:
        cursor.execute(ACCEPT, facts)


def use_code(*, message_id: UUID, code_set: str, now: datetime) -> bool:
    """The code of this message is used now, and no other code of its set is good any more. False if it was spent before.

    In the caller's transaction, which does what the code is for: both happen or neither. The user is locked before.
    """
    facts: dict[str, Any] = {"message_id": message_id, "code_set": code_set, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(USE_CODE, {**facts, "entry_id": new_id(), "step": LedgerStep.CODE_USED})
        return bool(cursor.rowcount == 1)


def spend_codes(code_set: str, *, now: datetime) -> None:
    """No code of this set is good any more. One statement."""
    Message.objects.filter(code_set=code_set, code_spent_at=None, expires_at__gt=now).update(code_spent_at=now)
