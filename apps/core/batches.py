"""Deleting many rows a few at a time, so that no delete holds its locks for long, and no run holds its worker for long."""

import time

from django.db import transaction
from django.db.models import Model, QuerySet

SIZE = 1000
RUN_SECONDS = 20  # of one kind of rows: the next run goes on


def delete(rows: "QuerySet[Model]", *, by: str) -> int:
    """Delete these rows and what hangs on them. Returns how many.

    `by`: the column by which they are found. It has an index in whose order they are read, so that none of them is sorted.
    Rows that somebody holds are left to the next run.
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
