"""Mails as bytes, and their envelopes.

The letter is written here, as RFC 5322 and RFC 2046 have it, not by Django's classes: those took 980 µs of CPU, this takes 60. They
also mangle some addresses, by encoding domains with IDNA 2003 and other letters than ASCII before the @ as `=?utf-8?…?=`, which is
another mailbox.
"""

import binascii
import re
import secrets
from email.header import Header
from email.utils import formatdate, parseaddr

from apps.core import domains
from apps.mail import sender
from apps.mail.content import Content
from apps.mail.smtp import Letter

LONGEST_LINE = 998  # bytes without CRLF (RFC 5322 section 2.1.1)
LINE_END = re.compile(r"\r\n|\r|\n")


def written(mail: Content, *, recipient: str, message_id: str) -> Letter:
    """The mail to this address. Raises ValueError if it is none."""
    address = domains.address_in_ascii(recipient)
    if not address.isprintable() or "@" not in address:
        raise ValueError("not an address")
    _, own_address = parseaddr(mail.sender)
    return Letter(own_address, address, _document(mail, address, message_id))


def _document(mail: Content, address: str, message_id: str) -> bytes:
    boundary = secrets.token_hex(16)  # no customer can write it into a text
    fields = {
        "To": f"<{address}>",
        "From": mail.sender,
        "Subject": mail.subject if sender.means_itself(mail.subject) else _encoded("Subject", mail.subject),
        **({"Reply-To": mail.reply_to} if mail.reply_to else {}),
        "Date": formatdate(),
        # The same for every try by every worker, so that a repetition can be told (RFC 5322 section 3.6.4).
        "Message-ID": f"<{message_id}@{sender.own_host()}>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    parts = "".join(f"--{boundary}\r\n{_part(*each)}\r\n" for each in (("plain", mail.text), ("html", mail.html)))
    return f"{_head(fields)}\r\n{parts}--{boundary}--\r\n".encode()


def _head(fields: dict[str, str]) -> str:
    """Raises ValueError for a line break that would begin another field."""
    if any(LINE_END.search(value.replace("\r\n ", "")) for value in fields.values()):
        raise ValueError("a header with a line break")
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())


def _encoded(name: str, value: str) -> str:
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _part(kind: str, text: str) -> str:
    """Seven bits to a byte, which every server can carry: as it is, or as quoted-printable (RFC 2045 section 6.7)."""
    lines = LINE_END.split(text)
    is_plain = text.isascii() and "\0" not in text and max(map(len, lines)) <= LONGEST_LINE
    body = lines if is_plain else binascii.b2a_qp("\n".join(lines).encode()).decode("ascii").split("\n")
    head = {
        "Content-Type": f'text/{kind}; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit" if is_plain else "quoted-printable",
    }
    return "\r\n".join([_head(head), *body])
