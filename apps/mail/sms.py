"""SMS: posted into the same outbox as mails. The quota counts segments, which is what a carrier charges for."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from apps.audit.events import NewEvent
from apps.core import sealed, text_languages
from apps.mail import outbox, quotas
from apps.mail.content import Branding, Sms, masked
from apps.mail.errors import SmsUnavailable
from apps.mail.models import Channel, Message
from apps.mail.outbox import Draft
from apps.mail.quotas import Quota

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1: letters that take seven bits, and those that take twice as much.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = set("^{}\\[~]|€\f")
IN_GSM, IN_EACH_GSM = 160, 153  # letters in a single SMS, and in each of several
IN_UCS2, IN_EACH_UCS2 = 70, 67


@dataclass(frozen=True, kw_only=True)
class SmsDraft(Draft):
    """An SMS to be posted. `number`: E.164, never printed."""

    number: str = field(repr=False)


def post(
    *,
    draft: SmsDraft,
    branding: Branding,
    sender: str,
    quota: Quota | None,
    now: datetime,
    event: NewEvent | None = None,
) -> Message:
    """Count its segments, insert it, and record its event: one statement. Raises QuotaExceeded, or SmsUnavailable if no
    backend is set.

    Without a `quota` nothing is counted: for the sandbox, which sends nothing.
    """
    if not (settings.SMS_BACKEND or draft.sandbox_key_id):
        raise SmsUnavailable
    sms = Sms(draft.number, render(draft, branding), sender)
    message = _message(draft, branding, sms, now)
    quotas.insert_counting(message, quotas.SMS, quota, amount=segments(sms.text), event=event)
    outbox.announce(message)
    return message


def render(draft: SmsDraft, branding: Branding) -> str:
    """Render `templates/sms/<kind>.txt` in the draft's locale. In NFC, since separate accents would need the longer encoding."""
    with translation.override(text_languages.served_by(draft.locale)):
        text = render_to_string(f"sms/{draft.kind}.txt", {**draft.facts, "brand": branding})
    return unicodedata.normalize("NFC", text.strip())


def segments(text: str) -> int:
    """How many SMS this text is to a carrier."""
    if all(letter in GSM or letter in GSM_EXTENSION for letter in text):
        return _parts([2 if letter in GSM_EXTENSION else 1 for letter in text], IN_GSM, IN_EACH_GSM)
    return _parts([len(letter.encode("utf-16-be")) // 2 for letter in text], IN_UCS2, IN_EACH_UCS2)


def _parts(widths: list[int], alone: int, each: int) -> int:
    """A letter is never split: one that no longer fits begins the next part."""
    if sum(widths) <= alone:
        return 1
    parts, left = 1, each
    for width in widths:
        if width > left:
            parts, left = parts + 1, each
        left -= width
    return parts


def _message(draft: SmsDraft, branding: Branding, sms: Sms, now: datetime) -> Message:
    row = outbox.row_for(draft, Channel.SMS, masked(draft.number), branding=branding, now=now)
    sealed.write(row, "content", sms.to_json())
    return row
