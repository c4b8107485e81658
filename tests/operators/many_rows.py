"""Many rows of any model that has a page in the admin: a new model gets them without being named."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Model
from django.utils import timezone

from apps.customers.models import DEFAULT_CUSTOMER_ID

Owners = dict[type[Model], list[Any]]


def make(model: type[Model], number: int) -> None:
    """Rows that the database takes, each of another customer, user or whatever else such a row belongs to."""
    _make(model, number, {})


def _make(model: type[Model], number: int, made: Owners) -> None:
    """`made`: the keys of what such rows belong to. A user's customer is its session's, too, and is made once."""
    fields: list[Any] = [field for field in model._meta.concrete_fields if not field.generated]
    for owner in {field.related_model for field in fields if field.is_relation and not field.null} - made.keys():
        _make(owner, number, made)
    first = model._default_manager.count()
    rows = [model(**{field.attname: _value(field, first + n, n, made) for field in fields}) for n in range(number)]
    made[model] = [row.pk for row in model._default_manager.bulk_create(rows)]


def _value(field: Any, number: int, index: int, made: Owners) -> Any:
    if field.related_model in made and not field.null:
        return made[field.related_model][index]
    if field.primary_key or (field.has_default() and not field.unique):
        return field.get_default()
    if field.null and not isinstance(field, models.DateTimeField):
        return None
    return _of_kind(field, number)


def _of_kind(field: Any, number: int) -> Any:
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now() - timedelta(minutes=number)
    if isinstance(field, models.UUIDField):
        return DEFAULT_CUSTOMER_ID
    if isinstance(field, models.BinaryField):
        return number.to_bytes(32)
    if isinstance(field, models.IntegerField):
        return number
    return f"{field.name}{number}@example.com"[: field.max_length]
