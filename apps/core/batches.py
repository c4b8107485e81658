"""Deleting or changing many rows a few at a time: none are locked for long, and no run holds its worker for long."""

import time
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

SIZE = 1000
RUN_SECONDS = 20  # for one kind of rows; the next run does the rest


def update(rows: "QuerySet[Model]", *, by: str, **values: Any) -> int:
    """Change these rows so that they are no longer among them. Returns how many. `by`: as for `delete`."""
    changed, until = 0, time.monotonic() + RUN_SECONDS
    found = rows.order_by(by).values_list("pk", flat=True)
    while time.monotonic() < until:
        batch = list(found[:SIZE])
        changed += rows.model._default_manager.filter(pk__in=batch).update(**values) if batch else 0
        if len(batch) < SIZE:
            break
    return changed


def delete(rows: "QuerySet[Model]", *, by: str) -> int:
    """Delete these rows and what refers to them. Returns how many.

    `by`: the column that finds them. Its index gives their order, so nothing is sorted. Locked rows are left to the next run.
    """
    deleted, until = 0, time.monotonic() + RUN_SECONDS
    found = rows.order_by(by).select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
    while time.monotonic() < until:
        with transaction.atomic():
            batch = list(found[:SIZE])
            deleted += rows.model._default_manager.filter(pk__in=batch).delete()[0] if batch else 0
        if len(batch) < SIZE:
            break
    return deleted
