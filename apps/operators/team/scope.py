"""Which customers an operator may see. Every page asks here, so that what is of other customers is nowhere.

Closed by default: of a model that leads to no customer, who is limited to some customers sees no row and no page.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.owned import OwnedQuerySet
from apps.customers.models import Customer

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class OperatorScope:
    """`customers`: the ids of those that may be seen. None: all, and what belongs to no customer."""

    customers: Collection[UUID] | None

    @property
    def is_everything(self) -> bool:
        return self.customers is None

    def opens(self, model: type[Model]) -> bool:
        """Whether there may be rows of this model to see."""
        return self.is_everything or path_to_customer(model) is not None

    def narrow(self, rows: "QuerySet[Row]") -> "QuerySet[Row]":
        """Those of the rows that may be seen."""
        if self.customers is None:
            return rows
        path = path_to_customer(rows.model)
        return rows.filter(**{f"{path}__in": sorted(self.customers)}) if path else rows.none()

    def holds(self, row: Model) -> bool:
        """Whether this row may be seen."""
        if self.customers is None:
            return True
        path = path_to_customer(type(row))
        return path is not None and reduce(getattr, path.split("__"), row) in self.customers


EVERYTHING, NOTHING = OperatorScope(None), OperatorScope(())


def path_to_customer(model: type[Model]) -> str | None:
    """The way from a row to its customer's id, as the model's own `objects.of` goes it. None: there is no way."""
    if model is Customer:
        return "id"
    rows = model._default_manager.all()
    return rows.owner if isinstance(rows, OwnedQuerySet) else None


def of(request: HttpRequest) -> OperatorScope:
    """What the operator of this request may see."""
    return of_operator(request.user)


def of_operator(operator: User | AnonymousUser) -> OperatorScope:
    """From the row beside the operator's own; nothing without one. An administrator without limits has Django's flag."""
    if not isinstance(operator, User):
        return NOTHING
    if operator.is_superuser:
        return EVERYTHING
    row: Any = getattr(operator, "team_role", None)
    if row is None:
        return NOTHING
    return OperatorScope(row.customer_ids) if row.is_limited else EVERYTHING
