"""What mails and SMS say: templates rendered in the reader's language and the customer's colours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import phonenumbers
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import text_languages
from apps.mail import sender

DEFAULT_COLOUR = "#1f4fd8"
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
VISIBLE_DIGITS = 2


@dataclass(frozen=True)
class Branding:
    """How a customer's mail looks, and who it comes from."""

    customer_id: UUID
    name: str
    sender_name: str = ""
    reply_to: str = ""
    logo_url: str = ""
    colour: str = ""
    site_domain: str = ""  # what a code is bound to: "@example.com #123456"


@dataclass(frozen=True)
class Content:
    """A rendered mail. It may hold a code; never printed."""

    subject: str
    text: str
    html: str
    sender: str
    reply_to: str

    def __repr__(self) -> str:
        return "<Content>"


@dataclass(frozen=True)
class MailToRender:
    """What a mail is made of. Sealed while it waits, since it may hold a code; never printed.

    The worker that sends it renders it: no request waits for templates (700 µs of CPU each time), and what waits is a tenth as
    long. Texts are those of the worker's templates; all else is as it was when the mail was posted.
    """

    kind: str
    locale: str
    branding: Branding
    facts: Mapping[str, Any] = field(repr=False)

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, document: bytes) -> "MailToRender":
        parts = orjson.loads(document)
        brand = parts.pop("branding")
        return cls(branding=Branding(**{**brand, "customer_id": UUID(brand["customer_id"])}), **parts)

    def render(self) -> Content:
        return render(kind=self.kind, locale=self.locale, branding=self.branding, facts=self.facts)


@dataclass(frozen=True)
class Sms:
    """A rendered SMS. Sealed while it waits; never printed."""

    number: str
    text: str
    sender: str

    def __repr__(self) -> str:
        return "<Sms>"

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, document: bytes) -> "Sms":
        return cls(**orjson.loads(document))


def masked(number: str) -> str:
    """The part of a phone number (E.164) that may be shown: its country and its end, "+49 … 67"."""
    return f"+{phonenumbers.parse(number).country_code} … {number[-VISIBLE_DIGITS:]}"


def render(*, kind: str, locale: str, branding: Branding, facts: Mapping[str, Any]) -> Content:
    """Render `templates/mail/<kind>/{subject.txt,body.txt,body.html}` in `locale` (an unknown one falls back to English)."""
    values = {**facts, "brand": branding, "colour": _colour(branding)}
    with translation.override(text_languages.served_by(locale)):
        values["language"] = translation.get_language()
        return Content(
            subject=sender.one_line(render_to_string(f"mail/{kind}/subject.txt", values)),
            text=render_to_string(f"mail/{kind}/body.txt", values),
            html=render_to_string(f"mail/{kind}/body.html", values),
            sender=sender.called(branding.sender_name or branding.name or sender.own_name()),
            reply_to=sender.reply_to(branding.reply_to),
        )


def _colour(branding: Branding) -> str:
    """It goes into a style attribute, where escaping would not stop it from adding declarations."""
    return branding.colour if COLOUR.fullmatch(branding.colour) else DEFAULT_COLOUR
