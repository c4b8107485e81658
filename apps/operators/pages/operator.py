"""Who the operators are: Django's own users, on unfold's pages."""

from typing import Any

from django import forms
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.forms import UserChangeForm

from apps.audit import actions
from apps.operators.pages.base import AuditedAdmin, Recorded
from apps.operators.pages.operator_access import OperatorAccess
from apps.operators.pages.operator_role import OperatorRolePage, RoleFields
from apps.operators.team import last_administrator, usernames


class OperatorForm(RoleFields, UserChangeForm):
    def clean_username(self) -> str:
        """Two operators' names never differ by case alone. Django's own form for a new operator checks that already."""
        name: str = self.cleaned_data["username"]
        taken = usernames.find(name)
        if taken is not None and taken.pk != self.instance.pk:
            raise forms.ValidationError(self.instance.unique_error_message(User, ["username"]))
        return name


class SuperusersAlone(AuditedAdmin):
    """Only administrators without limits change operators: anybody else could give themselves every right."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class OperatorAdmin(OperatorAccess, OperatorRolePage, UserAdmin, SuperusersAlone):  # type: ignore[type-arg, misc]  # generic in the stubs alone, which leave arguments out
    form = OperatorForm
    # Events named `user_…` are about end users.
    recorded_as = Recorded(actions.OPERATOR_ADDED, actions.OPERATOR_CHANGED, actions.OPERATOR_DELETED)

    def changelist_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """One transaction, like Django's other pages: an action on several operators is done whole or not at all."""
        with transaction.atomic():
            response: HttpResponse = super().changelist_view(request, *args, **options)
        return response

    def lock(self, row: Model) -> Any:
        """After all administrators, in their order, as `last_administrator` locks them: two changes never wait for each other."""
        last_administrator.lock_all()
        return super().lock(row)
