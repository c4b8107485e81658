"""What a customer owns, found from the models: a new table is deleted with its customer without being named here."""

from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model

from apps.audit import models as audit
from apps.core.owned import OwnedQuerySet

AUDIT_TRAIL = (audit.Event, audit.ChainLink, audit.UnchainedEvent, audit.Refusal)  # it stays, and can be verified


@cache
def tables() -> tuple[type[Model], ...]:
    """The models whose rows name their customer, in the order in which rows can be deleted: those that refer to others first.

    What names its customer only by way of another row goes with that row.
    """
    found = sorted(_naming_their_customer(), key=lambda model: model._meta.label)
    order = TopologicalSorter({model: [other for other in found if _refers_to(other, model)] for model in found})
    return tuple(order.static_order())


def rows_of(customer_id: UUID, model: type[Model]) -> OwnedQuerySet[Any]:
    """Those that go with this customer, in no order: they are found by the index of the customer."""
    rows: Any = model._default_manager.all()
    found: OwnedQuerySet[Any] = rows.of(customer_id).order_by()
    return found


def _naming_their_customer() -> Iterator[type[Model]]:
    for model in apps.get_models():
        rows: Any = model._default_manager.all()
        if isinstance(rows, OwnedQuerySet) and rows.owner == OwnedQuerySet.owner and model not in AUDIT_TRAIL:
            yield model


def _refers_to(model: type[Model], other: type[Model]) -> bool:
    fields: Iterable[Any] = model._meta.concrete_fields
    return model is not other and any(field.related_model is other for field in fields if field.is_relation)
