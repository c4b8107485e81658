"""What the demo prints: titles, progress, requests and answers, shortened; in colour on a terminal."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ
LONGEST_VALUE = 60
LONGEST_LINE = 320


def _paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def line(text: str = "") -> None:
    print(text, flush=True)


def title(text: str) -> None:
    line(_paint("1", text))


def failure(text: str) -> None:
    print(_paint("31;1", f"✗ {text}"), file=sys.stderr, flush=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Say what is being done and, when it is done, how many seconds it took."""
    print(f"  {text} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        line()
        raise
    line(_paint("2", f" {time.monotonic() - started:.1f} s"))


def step(number: int, text: str) -> None:
    line()
    line(_paint("1", f"{number}. {text}"))


def sent(call: str, document: Any = None, wire: bytes | None = None) -> None:
    line(f"   {_paint('36', '→')} {call}" + (f"  {shortened(document)}" if document is not None else ""))
    if wire:
        line(_paint("2", f"     on the wire: {_cut(wire.decode(), 100)}"))


def received(status: int, document: Any, wire: bytes | None = None) -> None:
    colour = "32" if status < 400 else "33"
    if wire:
        line(_paint("2", f"     on the wire: {_cut(wire.decode(), 100)}"))
    line(f"   {_paint(colour, '←')} {status}  {shortened(document)}")


def note(text: str) -> None:
    line(f"   {_paint('32', '✓')} {text}")


def shortened(document: Any) -> str:
    """The document as JSON on one line, with long values cut short."""
    return _cut(json.dumps(_short(document), ensure_ascii=False), LONGEST_LINE)


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _short(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_short(member) for member in value]
    if isinstance(value, str):
        return _cut(value, LONGEST_VALUE)
    return value


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def facts(values: Mapping[str, str]) -> None:
    """The addresses and credentials of the running demo."""
    labels = {
        "base_url": "API",
        "admin_url": "Operator admin",
        "admin_email": "  e-mail",
        "admin_password": "  password",
        "sign_in_url": "Hosted sign-in of the demo customer",
        "account_url": "  account page",
        "api_key": "API key of the demo customer",
        "customer_id": "Its id",
        "service_encryption_key": "Service encryption key",
        "mailbox": "Mailbox (Maildir)",
    }
    line()
    title("Gatehouse is running. Ctrl-C stops everything.")
    width = max(map(len, labels.values()))
    for name, label in labels.items():
        line(f"  {label.ljust(width)}  {_paint('36', values[name])}")
    line(f"  {'API documentation'.ljust(width)}  {_paint('36', values['base_url'] + '/api/docs')}")
