"""What a mail says: in the reader's language and the customer's colours, with a code that can be read, copied and bound to a site."""

import re
from email.utils import parseaddr
from gettext import GNUTranslations
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

from apps.core.ids import new_id
from apps.mail import content
from apps.mail.content import Content, MailToRender
from tests.mail import posting

BRAND = new_id()


def render(locale: str = "en", **branding: Any) -> Content:
    return content.render(
        kind="sign_in_code", locale=locale, branding=posting.branding(**branding), facts=posting.draft().facts
    )


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("en", "482913 is your code for Acme"),
        ("de", "482913 ist Ihr Code für Acme"),
        ("de-AT", "482913 ist Ihr Code für Acme"),
        ("de_CH", "482913 ist Ihr Code für Acme"),
        ("tlh", "482913 is your code for Acme"),
        ("../../etc/passwd", "482913 is your code for Acme"),
        ("x" * 5000, "482913 is your code for Acme"),
        ("", "482913 is your code for Acme"),
    ],
)
def test_a_mail_is_in_the_readers_language_or_in_english(locale: str, subject: str) -> None:
    """C7.3: translated by `locale`."""
    assert render(locale).subject == subject


@pytest.mark.parametrize("locale", ["en", "de"])
def test_the_text_ends_with_the_code_bound_to_the_site(locale: str) -> None:
    """C7.3: `@example.com #123456`, as its last line."""
    assert render(locale).text.rstrip().splitlines()[-1] == "@example.com #482913"


class _Reader(HTMLParser):
    """Collects links, the elements that hold the code, and everything that is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.texts: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.links += [facts["href"] or ""] if "href" in facts else []
        self.loaded += [facts["src"] or ""] if "src" in facts else []
        self.labels += [facts["aria-label"] or ""] if "aria-label" in facts else []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def test_the_code_is_spelled_to_a_screen_reader_and_can_be_copied_in_one_piece() -> None:
    """C7.3: readable by a screen reader, copyable."""
    reader = read(render().html)
    assert reader.labels == ["4 8 2 9 1 3"]
    assert [text for text in reader.texts if "482913" in text] == ["482913"]


def test_there_is_no_link_to_be_followed_by_a_mail_scanner() -> None:
    """C7.3: no clickable sign-in link."""
    mail = render()
    assert read(mail.html).links == []
    assert not re.search(r"https?://", mail.text)


def test_a_mail_wears_the_customers_brand() -> None:
    """C7.3: sender name, reply-to, logo, colour."""
    plain, branded = (
        render(),
        render(
            sender_name="Acme Ltd",
            reply_to="help@acme.example",
            logo_url="https://acme.example/l.png",
            colour="#0a7d55",
        ),
    )
    assert parseaddr(plain.sender) == ("Acme", "no-reply@auth.example.test")
    assert plain.reply_to == ""
    assert content.DEFAULT_COLOUR in plain.html
    assert read(plain.html).loaded == []
    assert parseaddr(branded.sender) == ("Acme Ltd", "no-reply@auth.example.test")
    assert branded.reply_to == "help@acme.example"
    assert "#0a7d55" in branded.html
    assert read(branded.html).loaded == ["https://acme.example/l.png"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\u2028", "\x85", "\x00"])
def test_no_header_can_be_smuggled_into_a_header(ending: str) -> None:
    evil = f"Acme{ending}Bcc: all@example.com"
    mail = render(name=evil, sender_name=evil, reply_to=f"a@example.com{ending}Bcc: b@example.com")
    for header in (mail.subject, mail.sender):
        assert len(header.splitlines()) == 1
        assert "\x00" not in header
    assert mail.reply_to == ""


@pytest.mark.parametrize("colour", ["red;background:url(https://evil.example)", '"><script>', "#12345", "#1234567"])
def test_a_colour_is_a_colour_and_nothing_else(colour: str) -> None:
    html = render(colour=colour).html
    assert colour not in html
    assert content.DEFAULT_COLOUR in html


def test_a_name_is_shown_as_it_is_and_never_as_markup() -> None:
    mail = render(name="<b>A&B</b>")
    assert "<b>" not in mail.html
    assert "<b>A&B</b>" in mail.text


def test_a_mail_waits_as_what_it_is_made_of_and_is_rendered_the_same() -> None:
    brand = posting.branding(name="Bäckerei “Ä”", logo_url="https://acme.example/l.png", colour="#0a7d55")
    facts = {"code": posting.CODE, "spelled_code": "4 8 2 9 1 3", "minutes": 1, "note": 'ﬀ "<&\u2028😀'}
    waiting = MailToRender(kind="sign_in_code", locale="de", branding=brand, facts=facts)
    read = MailToRender.from_json(waiting.to_json())
    assert read == waiting
    assert read.render() == content.render(kind="sign_in_code", locale="de", branding=brand, facts=facts)
    assert posting.CODE not in repr(waiting)


def test_a_rendered_mail_does_not_show_its_code_in_a_log() -> None:
    assert posting.CODE not in repr(render())
    assert posting.CODE not in repr(posting.draft())


@pytest.mark.parametrize("path", sorted(Path(settings.BASE_DIR, "locale").glob("*/LC_MESSAGES/django.po")))
def test_the_compiled_translations_are_those_of_the_source(path: Path) -> None:
    """Nothing compiles them at run time: `make translations` does, and the result is kept."""
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    with path.with_suffix(".mo").open("rb") as kept:
        assert _texts(GNUTranslations(kept)) == _texts(GNUTranslations(compiled))


def _texts(translations: GNUTranslations) -> dict[Any, str]:
    catalog: dict[Any, str] = translations._catalog  # type: ignore[attr-defined]  # gettext has no other way
    return {key: text for key, text in catalog.items() if key}


def test_what_was_rendered_for_one_code_says_nothing_of_it_to_the_next() -> None:
    """Rendered once, and then filled in: each reader gets the own code, in the own language, of the own customer."""

    def said(code: str, *, locale: str = "en", minutes: int = 10, **branding: Any) -> str:
        facts = {"code": code, "spelled_code": " ".join(code), "minutes": minutes}
        mail = content.render(
            kind="sign_in_code", locale=locale, branding=posting.branding(BRAND, **branding), facts=facts
        )
        return f"{mail.subject}\n{mail.text}\n{mail.html}"

    first = said("111111")
    assert first.count("111111") == 4
    assert said("222222") == first.replace("111111", "222222").replace("1 1 1 1 1 1", "2 2 2 2 2 2")
    assert "ist Ihr Code" in said("333333", locale="de")
    assert "within 7 minutes" in said("333333", minutes=7)
    assert "#aa0000" in said("333333", colour="#aa0000")
    assert "for Bude" in said("333333", name="Bude")
    assert "444444" not in said("555555", name="444444 <b>").replace("444444 &lt;b&gt;", "").replace("444444 <b>", "")
    assert said("111111") == first


def test_what_is_no_plain_code_is_escaped() -> None:
    facts = {"code": "<b>", "spelled_code": "< b >", "minutes": 10}
    mail = content.render(kind="sign_in_code", locale="en", branding=posting.branding(), facts=facts)
    assert "<b>" not in mail.html
    assert "&lt;b&gt;" in mail.html
