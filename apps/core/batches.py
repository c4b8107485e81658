"""Deleting many rows a few at a time, so that no delete holds its locks for long."""

from django.db.models import Model, QuerySet

SIZE = 1000


def delete(rows: "QuerySet[Model]") -> int:
    """Delete these rows and what hangs on them. Returns how many."""
    deleted = 0
    while batch := list(rows.values_list("pk", flat=True)[:SIZE]):
        deleted += rows.model._default_manager.filter(pk__in=batch).delete()[0]
    return deleted
