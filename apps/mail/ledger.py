"""The ledger: what happened to a message, step by step, for operators and customers to see."""

from datetime import datetime
from uuid import UUID

from apps.mail.models import LedgerEntry, LedgerStep


def note(*, message_id: UUID, step: LedgerStep, now: datetime, server: str = "", answer: str = "") -> None:
    """Write one step. `server` and `answer` are what the mail server was and said."""
    LedgerEntry.objects.create(message_id=message_id, at=now, step=step, server=server[:255], answer=answer[:500])


def code_used(*, message_id: UUID, now: datetime) -> None:
    """The code that this message carried has signed somebody in."""
    note(message_id=message_id, step=LedgerStep.CODE_USED, now=now)
