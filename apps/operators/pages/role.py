"""Roles that customers name for themselves."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display

from apps.operators.context import context_of_operator
from apps.operators.pages.permission import NamedByCustomer, choose_permissions
from apps.operators.pages.row_form import RowForm
from apps.users import roles
from apps.users.models import Role


class RoleForm(RowForm[Role]):
    class Meta:
        model = Role
        fields = ("customer", "name", "permissions", "description")
        help_texts = {
            "name": lazy(
                "Small letters, digits and _. Cannot be changed later. admin and company_user exist without it."
            )
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "permissions" in self.fields and not self.instance._state.adding:
            self.fields["permissions"] = choose_permissions(self.instance.customer_id, self.instance.permissions)


class RoleAdmin(NamedByCustomer):
    form = RoleForm
    list_display = ("name", "customer", "gives", "description")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Which permissions there are depends on the customer: they are chosen once the role is saved."""
        return tuple(name for name in RoleForm.Meta.fields if obj or name != "permissions")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            roles.change(
                row,
                permissions=changes.get("permissions"),
                description=changes.get("description"),
                context=context_of_operator(request),
            )
        else:
            roles.register(row, context=context_of_operator(request))

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        roles.delete(row, context=context_of_operator(request))

    @display(description=lazy("Gives"))
    def gives(self, row: Role) -> str:
        return ", ".join(row.permissions) or "-"
