"""Cursor pages: stable while rows are added, one query a page, no total to count, short enough for every client."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from apps.core import base64url
from apps.core.errors import ValidationFailed

DEFAULT_SIZE = 50
LARGEST_SIZE = 100
LONGEST_PAGE = 46 * 1024  # bytes of rows; with what is around them an answer stays under 48 KiB (contract 2.2.4)

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class ListPage:
    """One page: `document()` is the answer's body, `{"results": […], "next": "<cursor>" or null}`."""

    results: list[dict[str, Any]]
    next: str | None

    def document(self) -> dict[str, Any]:
        return {"results": self.results, "next": self.next}


def page(rows: QuerySet[Row], *, request: Request, represent: Callable[[Row], dict[str, Any]]) -> ListPage:
    """The page that `?cursor=` and `?limit=` ask for, from the newest id on (ids are UUIDv7). Raises ValidationFailed."""
    size = _size(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    return first_page(rows.filter(pk__lt=_decode(cursor)) if cursor else rows, represent=represent, size=size)


def first_page(
    rows: QuerySet[Row],
    *,
    represent: Callable[[Row], dict[str, Any]],
    size: int = DEFAULT_SIZE,
    longest: int = LONGEST_PAGE,
) -> ListPage:
    """The first page, of at most so many rows and bytes. For answers that begin several lists."""
    found = list(rows.order_by("-pk")[: size + 1])
    results = _fitting([represent(row) for row in found[:size]], longest)
    more = len(found) > len(results)
    return ListPage(results, base64url.encode(found[len(results) - 1].pk.bytes) if more else None)


def _fitting(results: Sequence[dict[str, Any]], longest: int) -> list[dict[str, Any]]:
    """As many of the first as fit into so many bytes, but always one: else the list would never come to its end."""
    lengths = accumulate(len(json.dumps(result, cls=JSONEncoder)) + len(", ") for result in results)
    return list(results[: max(1, sum(length <= longest for length in lengths))])


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_SIZE))  # or int() may refuse it
    if not plain or not 1 <= int(text) <= LARGEST_SIZE:
        raise ValidationFailed(fields={"limit": [_("Give a whole number from 1 to %d.") % LARGEST_SIZE]})
    return int(text)


def _decode(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64url.decode(cursor))
    except ValueError as error:
        raise ValidationFailed(fields={"cursor": [_("This is not a cursor of ours.")]}) from error
