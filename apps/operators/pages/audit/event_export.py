"""Audit events as a file: CSV for spreadsheets, JSON Lines for programs. Read a few at a time, and sent as they are read."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation

from apps.audit import sentences
from apps.audit.models import Event
from apps.operators.pages.audit import event_names
from apps.operators.pages.audit.event_names import EventNames

BATCH = 250  # of 1000, the first line came after half a second
CSV, JSONL = "csv", "jsonl"
CONTENT_TYPES = {CSV: "text/csv; charset=utf-8", JSONL: "application/x-ndjson; charset=utf-8"}
COLUMNS = (
    "at",
    "id",
    "action",
    "sentence",
    "outcome",
    "severity",
    "actor",
    "customer_id",
    "user_id",
    "ip",
    "user_agent",
    "request_id",
    "details",
)
# With one of these first, spreadsheets take a text for a formula and run it (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Told = tuple[Event, str]  # an event, and its sentence


def answer(request: HttpRequest, site: AdminSite, found: QuerySet[Event], kind: str) -> StreamingHttpResponse:
    """The file, the newest event first. `found`: those that the operator may see."""
    told = _told(request, site, found, translation.get_language() or "en")
    response = StreamingHttpResponse(LINES[kind](told), content_type=CONTENT_TYPES[kind])
    name = f"audit-events-{timezone.now():%Y-%m-%dT%H%MZ}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def harmless(value: str) -> str:
    """The text, as no spreadsheet runs it."""
    return f"'{value}" if value.lstrip(" \u00a0").startswith(FORMULA) or value.startswith(FORMULA) else value


def _told(request: HttpRequest, site: AdminSite, found: QuerySet[Event], language: str) -> Iterator[Told]:
    """Lines are made after the view has returned, when the request's language is forgotten already."""
    for batch in _batches(found.order_by("-at", "-id")):
        with translation.override(language):
            names = EventNames(request, site, batch, event_names.as_text)
            told = [(event, sentences.as_text(event, names)) for event in batch]
        yield from told


def _batches(found: QuerySet[Event]) -> Iterator[list[Event]]:
    """By the place of the last event. A cursor on the server would not outlive its transaction behind a pooler."""
    batch = list(found[:BATCH])
    while batch:
        yield batch
        last = batch[-1]
        older = Q(at__lt=last.at) | Q(at=last.at, id__lt=last.id)
        batch = list(found.filter(older, at__lte=last.at)[:BATCH])


def _as_csv(told: Iterator[Told]) -> Iterator[str]:
    yield "\ufeff" + _csv_line(list(COLUMNS))  # without the mark, spreadsheets do not take it for UTF-8
    for event, sentence in told:
        document = _document(event, sentence)
        texts = ("" if document[name] is None else _text(document[name]) for name in COLUMNS)
        yield _csv_line([harmless(text) for text in texts])


def _as_json_lines(told: Iterator[Told]) -> Iterator[str]:
    for event, sentence in told:
        yield json.dumps(_document(event, sentence), ensure_ascii=False) + "\n"


def _document(event: Event, sentence: str) -> dict[str, Any]:
    columns = {name: getattr(event, name) for name in COLUMNS if name != "sentence"}
    texts = {name: str(columns[name]) for name in ("id", "customer_id", "user_id") if columns[name] is not None}
    return {**columns, **texts, "at": event.at.isoformat(), "sentence": sentence}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _csv_line(texts: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(texts)
    return line.getvalue()


LINES: dict[str, Callable[[Iterator[Told]], Iterator[str]]] = {CSV: _as_csv, JSONL: _as_json_lines}
