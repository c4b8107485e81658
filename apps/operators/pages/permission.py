"""Permissions that customers name for themselves: their page, and how other pages offer them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.operators import words
from apps.operators.context import context_of_operator
from apps.operators.lists.searches import by_beginning, by_id
from apps.operators.pages.base import AuditedAdmin
from apps.users import permission_names
from apps.users.models import Permission


def choose_permissions(customer_id: Any, held: Iterable[str]) -> forms.MultipleChoiceField:
    """A field with the customer's permissions, and with those that are held already."""
    known = Permission.objects.of(customer_id).values_list("name", flat=True)
    choices = [(name, name) for name in sorted({*known, *held})]
    return forms.MultipleChoiceField(
        label=capfirst(words.COLUMNS["permissions"]),
        choices=choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class NamedByCustomer(AuditedAdmin):
    """The base of pages of roles and permissions. Their name and customer never change."""

    flows_record = True
    actions = None  # they are deleted one at a time: those in use are refused
    list_filter = ("customer",)
    list_select_related = ("customer",)
    ordering: ClassVar[Any] = ("name",)
    searches = (by_beginning("name"), by_id)
    search_help_text = lazy("How the name begins")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("customer", "name") if obj else ()


class PermissionAdmin(NamedByCustomer):
    fields = ("customer", "name", "description")
    list_display = ("name", "customer", "description")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            permission_names.describe(row, description=row.description, context=context_of_operator(request))
        else:
            permission_names.register(row, context=context_of_operator(request))

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        permission_names.delete(row, context=context_of_operator(request))
