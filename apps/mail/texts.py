"""SMS in the outbox (provisional: helper D writes this)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.mail.content import Branding
from apps.mail.models import Message
from apps.mail.outbox import Quota


@dataclass(frozen=True)
class TextDraft:
    message_id: UUID
    kind: str
    number: str = field(repr=False)
    locale: str
    expires_at: datetime
    context: Mapping[str, Any] = field(repr=False)
    user_id: UUID | None = None
    sandbox_key_id: str = ""


def post(*, draft: TextDraft, branding: Branding, sender: str, quota: Quota | None, now: datetime) -> Message:
    raise NotImplementedError
