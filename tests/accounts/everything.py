"""A row in every table that a customer owns, made from what the models look like: so a new table is in the tests at once."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Model
from django.utils import timezone

from apps.audit.models import ChainLink, Event, Refusal, UnchainedEvent
from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet
from apps.customers.models import Customer

AUDIT_TRAIL = {Event, ChainLink, UnchainedEvent, Refusal}


def owned_models() -> list[type[Model]]:
    """Every model with `objects.of(customer_id)`, but those of the audit trail."""
    return [
        model
        for model in apps.get_models()
        if isinstance(model._default_manager.all(), OwnedQuerySet) and model not in AUDIT_TRAIL
    ]


def rows_of(customer_id: UUID) -> dict[str, int]:
    """How many rows it has, table by table."""
    found = {model._meta.label: cast("Any", model._default_manager).of(customer_id).count() for model in owned_models()}
    return {label: count for label, count in found.items() if count}


def fill(customer: Customer) -> None:
    """Make sure that the customer has a row in each of these tables."""
    made: dict[type[Model], Model] = {Customer: customer}
    for model in owned_models():
        _row(model, customer, made)


def _row(model: type[Model], customer: Customer, made: dict[type[Model], Model]) -> Model:
    if model not in made:
        made[model] = _existing(model, customer) or _new(model, customer, made)
    return made[model]


def _existing(model: type[Model], customer: Customer) -> Model | None:
    return cast("Any", model._default_manager).of(customer.id).first()


def _new(model: type[Model], customer: Customer, made: dict[type[Model], Model]) -> Model:
    row = model()
    for field in model._meta.concrete_fields:
        if field.name == "customer_id" or field.related_model is Customer:
            setattr(row, field.attname, customer.id)
        elif field.is_relation and not (field.null or field.related_model is model):
            setattr(row, field.name, _row(cast("type[Model]", field.related_model), customer, made))
        elif not (field.null or field.has_default() or field.blank or field.generated):
            setattr(row, field.attname, _value(field))
    model._default_manager.bulk_create([row])  # as it is: no flow is asked
    return row


def _value(field: Any) -> Any:
    now = timezone.now()
    if field.choices:
        return field.choices[0][0]
    kinds: list[tuple[type[Any], Any]] = [
        (models.UUIDField, new_id()),
        (models.DateTimeField, now + timedelta(hours=1)),
        (models.DateField, now.date()),
        (models.BinaryField, new_id().bytes),
        (models.JSONField, []),
        (models.BooleanField, False),
        (models.CharField, new_id().hex[: field.max_length]),
        (models.TextField, new_id().hex),
        (models.IntegerField, 1),
        (models.FloatField, 1.0),
    ]
    return next(value for kind, value in kinds if isinstance(field, kind))
