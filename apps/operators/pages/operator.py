"""Who the operators are: Django's own users, on unfold's pages."""

from typing import Any

from django import forms
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.audit import actions
from apps.operators import usernames
from apps.operators.pages.base import AuditedAdmin, Recorded


class OperatorForm(UserChangeForm):
    def clean_username(self) -> str:
        """Two operators' names never differ by case alone. Django's own form for a new operator checks that already."""
        name: str = self.cleaned_data["username"]
        taken = usernames.find(name)
        if taken is not None and taken.pk != self.instance.pk:
            raise forms.ValidationError(self.instance.unique_error_message(User, ["username"]))
        return name


class SuperusersAlone(AuditedAdmin):
    """Only superusers may change operators and groups: anybody else could give themselves every right."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class OperatorAdmin(UserAdmin, SuperusersAlone):  # type: ignore[type-arg]  # generic in the stubs alone
    form = OperatorForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # Events named `user_…` are about end users.
    recorded_as = Recorded(actions.OPERATOR_ADDED, actions.OPERATOR_CHANGED, actions.OPERATOR_DELETED)
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")

    def changelist_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """One transaction, like Django's other pages: an action on several operators is done whole or not at all."""
        with transaction.atomic():
            response: HttpResponse = super().changelist_view(request, *args, **options)
        return response

    def user_change_password(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """One transaction, like Django's other pages."""
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, *args, **options)
        return response

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record a new password: its page calls this, and not `save_model`."""
        if isinstance(message, list) and any(
            "password" in part.get("changed", {}).get("fields", ()) for part in message
        ):
            self.record(request, obj, self.recorded_as.changed, fields=["password"])
