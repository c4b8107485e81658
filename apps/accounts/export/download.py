"""The whole export as one JSON document, row by row: however much there is, memory does not grow."""

import json
from collections.abc import Iterator
from typing import Any

from apps.accounts.export.sections import SECTIONS, Section
from apps.accounts.export.users import account
from apps.users.models import User

ROWS_AT_ONCE = 500


def document(user: User) -> Iterator[str]:
    """`{"user": {…}, "sections": {"mails": […], …}}` in pieces: what `GET /api/auth/me/export` answers page by page."""
    yield f'{{"user": {_json(account(user))}, "sections": {{'
    for place, section in enumerate(SECTIONS):
        yield f"{', ' if place else ''}{_json(section.name)}: ["
        yield from _rows(section, user)
        yield "]"
    yield "}}"


def _rows(section: Section, user: User) -> Iterator[str]:
    """The section's rows, newest first."""
    separator = "\n"
    for row in section.rows(user).order_by("-pk").iterator(chunk_size=ROWS_AT_ONCE):
        yield separator + _json(section.represent(row))
        separator = ",\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
