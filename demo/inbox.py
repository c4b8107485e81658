"""Reads the demo's Maildir, as a person would read the mail."""

import mailbox
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

CODE = re.compile(r"#([0-9]{4,10})\b")  # the last line of the mail: "@example.com #123456"


def wait_for_mail(folder: Path, *, recipient: str, about: re.Pattern[str], within_seconds: float) -> EmailMessage:
    """The newest mail to `recipient` whose text matches `about`. Raises TimeoutError when none has come in time.

    Two workers send at once, so the mail that is waited for need not be the last to arrive.
    """
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        for message in _mails(folder, recipient):
            if about.search(text_of(message)):
                return message
        time.sleep(0.05)
    raise TimeoutError(f"No mail about {about.pattern!r} to {recipient} arrived within {within_seconds:.0f} s.")


def _mails(folder: Path, recipient: str) -> Iterator[EmailMessage]:
    """Newest first."""
    if not (folder / "new").is_dir():
        return
    box = mailbox.Maildir(folder, create=False)
    for key in sorted(box.keys(), reverse=True):
        message = BytesParser(policy=default).parsebytes(box.get_bytes(key))
        if recipient in str(message["To"]):
            yield message  # type: ignore[misc]  # the default policy makes EmailMessage


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""


def code_in(message: EmailMessage) -> str:
    """The one-time code in a sign-in mail."""
    found = CODE.search(text_of(message))
    if not found:
        raise ValueError("The mail holds no code.")
    return found.group(1)
