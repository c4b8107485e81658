"""An operator who looks at one customer's page: what may be seen and changed there, and where its tabs are."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from apps.customers.models import Customer

OVERVIEW = "overview"


@dataclass(frozen=True)
class Visit:
    """`page`: the admin's page of customers, whose rows are those that the operator may see."""

    page: Any
    request: HttpRequest
    customer: Customer

    @property
    def may_change(self) -> bool:
        return bool(self.page.has_change_permission(self.request, self.customer))

    def may_see(self, models: Collection[type[Model]]) -> bool:
        return all(self.admin_of(model).has_view_permission(self.request) for model in models)

    def admin_of(self, model: type[Model]) -> Any:
        return self.page.admin_site.get_model_admin(model)

    def rows(self, model: type[Model]) -> Any:
        """This customer's rows, as far as the operator's own list of them holds them."""
        return self.admin_of(model).get_queryset(self.request).of(self.customer.id)

    def address(self, tab: str, anchor: str = "") -> str:
        return address_of_tab(self.customer, tab) + (f"#{anchor}" if anchor else "")

    def back_to(self, tab: str, said: str = "", anchor: str = "") -> HttpResponseRedirect:
        """After a POST, so that loading the page again does nothing."""
        if said:
            self.page.message_user(self.request, said, messages.SUCCESS)
        return HttpResponseRedirect(self.address(tab, anchor))


def address_of_tab(customer: Customer, tab: str) -> str:
    name = "change" if tab == OVERVIEW else tab
    return reverse(f"admin:customers_customer_{name}", args=[customer.pk])


def list_of(name: str, **query: Any) -> str:
    """The address of a whole list, filtered."""
    return reverse(f"admin:{name}_changelist", query={column: str(value) for column, value in query.items()})
