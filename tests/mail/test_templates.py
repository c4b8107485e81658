"""Every mail and SMS, in every language, with all that may be said and with as little."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.mail import content, sms
from apps.mail.content import Content
from tests.mail import posting

MAIL = Path(settings.BASE_DIR) / "templates" / "mail"
KINDS = sorted(folder.name for folder in MAIL.iterdir() if folder.is_dir())
CODES = {
    "sign_in_code",
    "verify_email_code",
    "change_email_code",
    "second_factor_code",
    "reauthentication_code",
    "test_mail",  # an example
}
LINK = "https://app.example.com/account/page#token=abc"
FULL: dict[str, Any] = {
    "code": "482913",
    "spelled_code": "4 8 2 9 1 3",
    "minutes": 30,
    "days": 7,
    "count": 3,
    "customers": "Acme, Initech",
    "lines": "Acme: 3",
    "more": 2,
    "device": "Firefox on Windows",
    "ip": "192.0.2.7",
    "time": "2026-11-21 10:00 UTC",
    "factor": "<b>Phone</b>",
    "passkey": "Laptop",
    "reason": "The picture cannot be read.",
    "new_email": "a…@example.org",
    "reset_link": LINK,
    "undo_link": LINK,
    "admin_link": LINK,
}
LEAST = {
    "code": "482913",
    "spelled_code": "4 8 2 9 1 3",
    "minutes": 1,
    "days": 1,
    "count": 1,
    "factor": "x",
    "passkey": "x",
}


def rendered(kind: str, locale: str, facts: dict[str, Any]) -> Content:
    brand = posting.branding(name="Acme & Söhne")
    return content.render(kind=kind, locale=locale, branding=brand, facts=facts)


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("facts", [FULL, LEAST], ids=["full", "least"])
def test_every_kind_says_what_it_must(kind: str, locale: str, facts: dict[str, Any]) -> None:
    mail = rendered(kind, locale, facts)
    assert "\n" not in mail.subject
    for part in (mail.subject, mail.text, mail.html):
        assert part.strip()
        assert not re.search(r"\{\{|\{%|%\}|None", part)
    assert "<" not in mail.text.replace("<b>Phone</b>", "")
    assert "<b>Phone" not in mail.html
    assert f'lang="{locale}"' in mail.html
    if kind not in {"users_waiting", "alerts_raised"}:  # to operators, and by us
        assert "Acme & Söhne" in mail.text
        assert "Acme &amp; Söhne" in mail.html
    assert 'href=""' not in mail.html, "a button leads somewhere"
    assert " ," not in mail.text
    if kind in CODES:
        assert mail.text.strip().endswith("@example.com #482913")
        assert 'aria-label="4 8 2 9 1 3"' in mail.html
        assert "https://" not in mail.text, "nothing for a scanner to click"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - CODES - {"user_approved", "user_rejected"}))
def test_every_notice_has_a_way_on(kind: str) -> None:
    """Issue: "this was not me" leading to the reset."""
    mail = rendered(kind, "en", FULL)
    assert LINK in mail.text
    assert mail.html.count(f'href="{LINK}"') == 1


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"users_waiting"}))
def test_no_name_becomes_a_header(kind: str) -> None:
    evil = "Acme\r\nBcc: all@example.com"
    brand = posting.branding(name=evil, sender_name=evil, reply_to=f"a@example.com\n{evil}")
    mail = content.render(kind=kind, locale="en", branding=brand, facts={**FULL, "code": evil})
    assert not {"\r", "\n"} & {*mail.subject, *mail.sender, *mail.reply_to}


@pytest.mark.parametrize("reply_to", ["", "help@example.com"])
def test_an_answer_is_invited_only_where_somebody_reads_it(reply_to: str) -> None:
    brand = posting.branding(reply_to=reply_to)
    mail = content.render(kind="user_rejected", locale="en", branding=brand, facts=FULL)
    assert ("You can answer this mail" in mail.text) == bool(reply_to)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_translated(kind: str) -> None:
    english, german = rendered(kind, "en", FULL), rendered(kind, "de", FULL)
    assert english.subject != german.subject
    lines = set(english.text.splitlines()) & set(german.text.splitlines())
    assert not [line for line in lines if len(line.split()) > 4]


@pytest.mark.parametrize("locale", ["en", "de"])
def test_an_sms_is_one_segment_and_bound_to_the_site(locale: str) -> None:
    text = sms.render(posting.sms_draft(locale=locale), posting.branding())
    assert text.endswith("@example.com #482913")
    assert sms.segments(text) == 1
