"""SMS: posted like mails, into the same outbox; what a carrier charges for is what the quota counts."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import sealed
from apps.mail import allowances, outbox
from apps.mail.allowances import Quota
from apps.mail.content import Branding, Text, masked, supported
from apps.mail.errors import TextsUnavailable
from apps.mail.models import Channel, Message, MessageState

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1: the letters that fit into seven bits, and those that take two places.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = set("^{}\\[~]|€\f")
IN_GSM, IN_EACH_GSM = 160, 153  # letters in one alone, and in each of several
IN_UCS2, IN_EACH_UCS2 = 70, 67


@dataclass(frozen=True)
class TextDraft:
    """An SMS to be posted. `number`: E.164. Neither it nor the context, which may hold a code, is ever printed."""

    message_id: UUID
    kind: str
    number: str = field(repr=False)
    locale: str
    expires_at: datetime
    context: Mapping[str, Any] = field(repr=False)
    user_id: UUID | None = None
    sandbox_key_id: str = ""


def post(*, draft: TextDraft, branding: Branding, sender: str, quota: Quota | None, now: datetime) -> Message:
    """Count its segments and insert it: one statement. Raises QuotaExceeded, or TextsUnavailable where none can be sent.

    Without a `quota` nothing is counted: for the sandbox, from which nothing is sent.
    """
    if not (settings.SMS_BACKEND or draft.sandbox_key_id):
        raise TextsUnavailable
    text = Text(draft.number, render(draft, branding), sender)
    message = _message(draft, branding, text, now)
    allowances.insert_counting(message, allowances.TEXTS, quota, amount=segments(text.text))
    outbox.announce(message)
    return message


def render(draft: TextDraft, branding: Branding) -> str:
    """Render `templates/sms/<kind>.txt` in the draft's locale."""
    with translation.override(supported(draft.locale)):
        return render_to_string(f"sms/{draft.kind}.txt", {**draft.context, "brand": branding}).strip()


def segments(text: str) -> int:
    """How many SMS this text is to a carrier."""
    if all(letter in GSM or letter in GSM_EXTENSION for letter in text):
        length = sum(2 if letter in GSM_EXTENSION else 1 for letter in text)
        return _parts(length, IN_GSM, IN_EACH_GSM)
    return _parts(len(text.encode("utf-16-be")) // 2, IN_UCS2, IN_EACH_UCS2)


def _parts(length: int, alone: int, each: int) -> int:
    return 1 if length <= alone else ceil(length / each)


def _message(draft: TextDraft, branding: Branding, text: Text, now: datetime) -> Message:
    message = Message(
        id=draft.message_id,
        customer_id=branding.customer_id,
        user_id=draft.user_id,
        kind=draft.kind,
        channel=Channel.SMS,
        recipient=masked(draft.number),
        state=MessageState.SANDBOXED if draft.sandbox_key_id else MessageState.QUEUED,
        created_at=now,
        next_try_at=now,
        expires_at=draft.expires_at,
        sandbox_key_id=draft.sandbox_key_id,
    )
    normalised = Text(text.number, unicodedata.normalize("NFC", text.text), text.sender)
    sealed.write(message, "content", normalised.to_json())
    return message
