"""What mails and SMS say: templates rendered in the reader's language and the customer's colours."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
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
    texts = _texts(kind, text_languages.served_by(locale), branding, facts)
    return Content(
        subject=sender.one_line(texts.subject),
        text=texts.text,
        html=texts.html,
        sender=sender.called(branding.sender_name or branding.name or sender.own_name()),
        reply_to=sender.reply_to(branding.reply_to),
    )


@dataclass(frozen=True)
class _Texts:
    subject: str
    text: str
    html: str

    def with_code(self, code: str) -> "_Texts":
        return _Texts(*(_with_code(part, code) for part in (self.subject, self.text, self.html)))


# In the place of a code. No customer can write them into a name: each process has its own.
STAND_IN, SPELLED_STAND_IN = secrets.token_hex(16), secrets.token_hex(16)


def _texts(kind: str, language: str, branding: Branding, facts: Mapping[str, Any]) -> _Texts:
    """Mails with a code mostly differ in it alone: they are rendered once for each customer, language and lifetime of the code.

    (660 µs of CPU, then 10.) What is remembered holds no code, and a code of letters and digits needs no escaping.
    """
    code = facts.get("code", "")
    if not (code.isascii() and code.isalnum() and facts.get("spelled_code") == " ".join(code)):
        return _rendered(kind, language, branding, facts)
    others = {name: value for name, value in facts.items() if name not in {"code", "spelled_code"}}
    return _rendered_without_code(kind, language, branding, tuple(others.items())).with_code(code)


@lru_cache(maxsize=200)  # of 12 KB each
def _rendered_without_code(
    kind: str, language: str, branding: Branding, others: tuple[tuple[str, str | int], ...]
) -> _Texts:
    return _rendered(kind, language, branding, {**dict(others), "code": STAND_IN, "spelled_code": SPELLED_STAND_IN})


def _rendered(kind: str, language: str, branding: Branding, facts: Mapping[str, Any]) -> _Texts:
    values = {**facts, "brand": branding, "colour": _colour(branding)}
    with translation.override(language):
        values["language"] = translation.get_language()
        return _Texts(
            *(render_to_string(f"mail/{kind}/{part}", values) for part in ("subject.txt", "body.txt", "body.html"))
        )


def _with_code(text: str, code: str) -> str:
    return text.replace(STAND_IN, code).replace(SPELLED_STAND_IN, " ".join(code))


def _colour(branding: Branding) -> str:
    """It goes into a style attribute, where escaping would not stop it from adding declarations."""
    return branding.colour if COLOUR.fullmatch(branding.colour) else DEFAULT_COLOUR
