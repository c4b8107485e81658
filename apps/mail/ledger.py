"""The ledger: what happened to a message, step by step. Operators and customers can read it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.ids import new_id
from apps.mail.models import LedgerEntry, LedgerStep, Message

# Decides between any number of attempts, spends the other codes of the set, and writes the winner's step. `among`: what the
# statement that uses the code asks for besides.
SPEND = """
    UPDATE mail_message AS message SET code_spent_at = %(now)s {among}
    WHERE code_spent_at IS NULL
      AND (message.id = %(message_id)s OR code_set = %(code_set)s AND code_set <> '' AND expires_at > %(now)s)
    RETURNING message.id
"""
NOTE_USE = """
    INSERT INTO mail_ledgerentry (id, message_id, at, step, server, answer)
    SELECT %(entry_id)s, id, %(now)s, 'code_used', '', '' FROM spent WHERE id = %(message_id)s
"""
USE_CODE = f"WITH spent AS ({SPEND.format(among='')}) {NOTE_USE}"

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
    with connection.cursor() as cursor:
        cursor.execute(USE_CODE, {**of_use(message_id, code_set), "now": now})
        return bool(cursor.rowcount == 1)


def of_use(message_id: UUID, code_set: str) -> dict[str, Any]:
    """The parameters of SPEND and NOTE_USE, but for the time."""
    return {"message_id": message_id, "code_set": code_set, "entry_id": new_id()}


def spend_codes(code_set: str, *, now: datetime) -> None:
    """No code of this set is good any more. One statement."""
    Message.objects.filter(code_set=code_set, code_spent_at=None, expires_at__gt=now).update(code_spent_at=now)
