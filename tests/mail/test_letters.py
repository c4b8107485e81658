"""A letter is one that every server can carry, and says exactly what was rendered."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from apps.mail import letters, sender
from apps.mail.content import Content

GREETING = "Größe: 12 €\n\n.\n..two\nFrom here on = and trailing space \n"


def content(**parts: Any) -> Content:
    values = {"subject": "482913 is your code", "text": "plain", "html": "<p>rich</p>", "reply_to": ""}
    return Content(**{**values, "sender": "Acme <no-reply@auth.example.test>", **parts})


def document(**parts: Any) -> bytes:
    return letters.written(content(**parts), recipient="ada@example.com", message_id="m1").document


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text",
    [
        "482913",
        GREETING,
        "x" * 5000,
        "ä" * 5000,
        "\u2028 \x85 \x0b \x00",
        "--boundary--\n--\n",
        "=3D =\n=",
        "",
        "a\r\nb\rc\nd",
    ],
)
def test_what_was_rendered_is_what_is_read(text: str) -> None:
    message = read(document(text=text, html=f"<p>{text}</p>"))
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert part(message, "plain").removesuffix("\n") == wanted.removesuffix("\n")
    assert part(message, "html").removesuffix("\n") == f"<p>{wanted}</p>"
    assert not message.defects


@pytest.mark.parametrize("text", [GREETING, "x" * 5000, "ä" * 5000, "a\rb\nc"])
def test_it_is_seven_bits_in_lines_that_end_with_crlf_and_are_short_enough(text: str) -> None:
    """RFC 5321 section 4.5.3.1.6. So it needs no 8BITMIME, and no server on its way changes it under a signature."""
    raw = document(text=text, subject=f"Für {'ä' * 300}")
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= letters.LONGEST_LINE
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "subject",
    [
        "482913 is your code",
        "482913 ist Ihr Code für Großhandel " + "ü" * 200,
        "=?utf-8?q?x?",
        "=?utf-8?q?x=0D=0ABcc:_e@x?=",
        "😀",
    ],
)
def test_the_subject_is_read_as_it_was_written(subject: str) -> None:
    assert read(document(subject=subject))["Subject"] == subject


def test_its_fields() -> None:
    message = read(document(reply_to="help@acme.example"))
    assert {name: str(message[name]) for name in ("To", "From", "Reply-To", "Message-ID", "Auto-Submitted")} == {
        "To": "ada@example.com",
        "From": "Acme <no-reply@auth.example.test>",
        "Reply-To": "help@acme.example",
        "Message-ID": "<m1@auth.example.test>",
        "Auto-Submitted": "auto-generated",
    }
    assert message["Date"].datetime is not None
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "name",
    [
        'Ada "the first", Ltd. <eve@example.com>',
        "Größe & Söhne, a@b",
        "=?utf-8?q?x?=",
        "=?utf-8?q?x=0D=0ABcc:_eve@example.com?= Ltd.",
        "a\\",
        '"',
        "(a",
        "a:b;",
        "x" * 300,
        "",
    ],
)
def test_a_customers_name_is_read_as_it_was_written_and_changes_no_address(name: str) -> None:
    written = letters.written(content(sender=sender.called(name)), recipient="ada@example.com", message_id="m1")
    (said,) = read(written.document)["From"].addresses
    assert (said.display_name, said.addr_spec) == (name[: sender.LONGEST_NAME], written.own_address)
    assert written.own_address == sender.own_address()


@pytest.mark.parametrize("field", ["subject", "sender", "reply_to"])
@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\r\n x\r\n"])
def test_no_field_begins_another(field: str, line_break: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        document(**{field: f"x{line_break}Bcc: eve@example.com"})


@pytest.mark.parametrize("recipient", ["nobody", "ada@example.com\r\nDATA", "a\nb@example.com", "\x00@example.com"])
def test_what_is_no_address_gets_no_letter(recipient: str) -> None:
    with pytest.raises(ValueError):
        letters.written(content(), recipient=recipient, message_id="m1")
