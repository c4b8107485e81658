"""Re-encrypting everything sealed under the current master key, while the service serves (contract 2.4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db.models import Model, Q, QuerySet

from apps.core import sealed
from apps.core.ciphers import DecryptionFailed
from apps.core.sealed import SealedField

BATCH = 200


@dataclass(frozen=True)
class Column:
    """A column of sealed values."""

    model: type[Model]
    field: str

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field}"

    def outdated(self) -> QuerySet[Model]:
        """Rows whose value is sealed under another key than the current one."""
        current = f"{next(iter(settings.MASTER_KEYS))}."
        up_to_date = Q(**{f"{self.field}__startswith": current}) | Q(**{self.field: ""})
        return self.model._default_manager.exclude(up_to_date).order_by("pk")


@dataclass(frozen=True)
class Progress:
    """After a batch of one column: rows done and rows that no key opens, so far."""

    column: Column
    done: int
    unreadable: int


def columns() -> list[Column]:
    """Every sealed column: found by its type, so that none is forgotten."""
    return [
        Column(model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedField)
    ]


def reencrypt(column: Column) -> Iterator[Progress]:
    """Work through one column in batches. Can be stopped and started again at any time: what is done stays done."""
    done, unreadable, last = 0, 0, None
    while batch := list(_after(column.outdated(), last)[:BATCH]):
        for row in batch:
            changed = _reencrypt_row(column, row)
            done, unreadable = done + changed, unreadable + (not changed)
        last = batch[-1].pk
        yield Progress(column, done, unreadable)


def _after(rows: QuerySet[Model], last: object) -> QuerySet[Model]:
    return rows if last is None else rows.filter(pk__gt=last)


def _reencrypt_row(column: Column, row: Model) -> bool:
    """False when no key opens the value. A value that has changed meanwhile is left alone."""
    before = getattr(row, column.field)
    try:
        secret = sealed.read(row, column.field)
    except DecryptionFailed:
        return False
    sealed.write(row, column.field, secret)
    unchanged = column.model._default_manager.filter(pk=row.pk, **{column.field: before})
    unchanged.update(**{column.field: getattr(row, column.field)})
    return True
