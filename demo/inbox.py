"""Reads the demo's Maildir, as a person would read the mail."""

import mailbox
import re
import time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

CODE = re.compile(r"#([0-9]{4,10})\b")  # the last line of the mail: "@example.com #123456"


def wait_for_mail(folder: Path, *, recipient: str, within_seconds: float) -> EmailMessage:
    """The newest mail to `recipient`. Raises TimeoutError when none has come in time."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        found = _newest(folder, recipient)
        if found is not None:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"No mail to {recipient} arrived within {within_seconds:.0f} s.")


def _newest(folder: Path, recipient: str) -> EmailMessage | None:
    if not (folder / "new").is_dir():
        return None
    box = mailbox.Maildir(folder, create=False)
    for key in sorted(box.keys(), reverse=True):
        message = BytesParser(policy=default).parsebytes(box.get_bytes(key))
        if recipient in str(message["To"]):
            return message  # type: ignore[return-value]  # the default policy makes EmailMessage
    return None


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""


def code_in(message: EmailMessage) -> str:
    """The one-time code in a sign-in mail."""
    found = CODE.search(text_of(message))
    if not found:
        raise ValueError("The mail holds no code.")
    return found.group(1)
