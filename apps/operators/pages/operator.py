"""Who the operators are: Django's own users and groups, on unfold's pages."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserCreationForm
from unfold.forms import UserChangeForm as UnfoldUserChangeForm

from apps.audit import actions
from apps.operators import names
from apps.operators.pages.base import AuditedAdmin, Recorded

for model in (User, Group):
    admin.site.unregister(model)  # Django's own pages


class UserChangeForm(UnfoldUserChangeForm):  # type: ignore[misc]  # unfold has no types
    def clean_username(self) -> str:
        """The page of a new operator says the same, by Django's own form."""
        name: str = self.cleaned_data["username"]
        taken = names.find(name)
        if taken is not None and taken.pk != self.instance.pk:
            raise forms.ValidationError(self.instance.unique_error_message(User, ["username"]))
        return name


class SuperusersAlone(AuditedAdmin):
    """Whoever may change operators or groups could give themselves every right: so only those who have them all may."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(User)
class OperatorAdmin(UserAdmin, SuperusersAlone):  # type: ignore[type-arg, misc]  # the mixins are written for any ModelAdmin
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # `user_…` is said of end users.
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

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]  # as AuditedAdmin's
        """The page of the password saves without `save_model`; this it calls too."""
        if isinstance(message, list) and any(
            "password" in part.get("changed", {}).get("fields", ()) for part in message
        ):
            self.record(request, obj, self.recorded_as.changed, fields=["password"])


@admin.register(Group)
class OperatorGroupAdmin(GroupAdmin, SuperusersAlone):  # type: ignore[misc]
    """Sets of permissions."""

    recorded_as = Recorded(actions.GROUP_ADDED, actions.GROUP_CHANGED, actions.GROUP_DELETED)
