"""What an overview is about: which days, and which of the customers that the operator may see."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.ids import parse_id
from apps.customers.models import Customer
from apps.figures.reading import Customers

DAYS = (1, 7, 30)
MOST_SUGGESTED = 10


@dataclass(frozen=True)
class Choice:
    """`customer`: the one chosen. `wanted`: what was typed to find it; `suggested`: which it may mean, if not one alone."""

    days: int
    customer: Customer | None
    customers: Customers
    wanted: str = ""
    suggested: tuple[Customer, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether something was typed that no customer is called by."""
        return bool(self.wanted) and self.customer is None and not self.suggested


def of(request: HttpRequest) -> Choice:
    """As the query says. A wrong number of days is one day; a customer of others is as unknown as one that there is not."""
    days = next((days for days in DAYS if request.GET.get("days") == str(days)), DAYS[0])
    wanted = request.GET.get("customer", "").replace("\0", "").strip()[:200]
    visible = visible_customers(request)
    found = _called(wanted, visible) if wanted else ()
    if len(found) == 1:
        return Choice(days, found[0], [found[0].id], wanted)
    return Choice(days, None, _all_of(visible), wanted, found)


def visible_customers(request: HttpRequest) -> QuerySet[Customer]:
    """Those on the operator's list of customers: who may see only some of them sees the figures of these."""
    return admin.site.get_model_admin(Customer).get_queryset(request)


def _all_of(visible: QuerySet[Customer]) -> list[UUID] | None:
    """None: everyone, whose figures are kept as sums."""
    return list(visible.values_list("id", flat=True)) if visible.query.where else None


def _called(wanted: str, visible: QuerySet[Customer]) -> tuple[Customer, ...]:
    """By id, or by slug or name: exactly, else by how it begins."""
    exact = Q(slug=wanted) | Q(name__iexact=wanted) | (Q(id=parse_id(wanted)) if parse_id(wanted) else Q())
    for question in (exact, Q(slug__istartswith=wanted) | Q(name__istartswith=wanted)):
        if found := tuple(visible.filter(question).order_by("name")[:MOST_SUGGESTED]):
            return found
    return ()
