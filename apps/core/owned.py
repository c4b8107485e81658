"""Rows that belong to one customer. A look-up says whose first, and then the rest: `Session.objects.of(customer_id).filter(…)`."""

from typing import Self, TypeVar
from uuid import UUID

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows that have a column `customer_id`."""

    owner = "customer_id"  # the way from a row to its customer's id

    def of(self, customer_id: UUID | models.OuterRef) -> Self:
        """Those of this customer; `OuterRef`: of the customer that the query around this one is about."""
        return self.filter(**{self.owner: customer_id})


class UserOwnedQuerySet(OwnedQuerySet[Row]):
    """Rows of a user, who has one customer for life: no column of their own that could say otherwise."""

    owner = "user__customer_id"
