"""End users, their roles and permissions in the operators' admin. What is changed takes effect on the next request."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from apps.accounts import erasure
from apps.core.errors import ValidationFailed
from apps.operators.pages.base import AuditedAdmin, who
from apps.users import directory, emails, lifecycle, permission_names, roles
from apps.users.models import BuiltInRole, Permission, Role, User, UserStatus

AT_FIRST = (UserStatus.ACTIVE, UserStatus.PENDING)  # the status of a user who is just being made
COUNTS = ("wrong_codes", "wrong_second_factors")
LATER = "More can be given once it is saved."  # whose roles and permissions there are depends on the customer


def choice_of(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def choose_permissions(customer_id: Any, held: Iterable[str]) -> forms.MultipleChoiceField:
    """The customer's permissions to choose from, and those held already."""
    known = Permission.objects.of(customer_id).values_list("name", flat=True)
    return forms.MultipleChoiceField(
        choices=choice_of(sorted({*known, *held})), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("customer", "email", "name", "locale", "role", "permissions", "status")
        help_texts = {"role": LATER}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        user, adding = self.instance, self.instance._state.adding
        if "role" in self.fields:
            names = BuiltInRole.values if adding else [*roles.names_of(user.customer_id), user.role]
            choices = choice_of(dict.fromkeys(names))
            help_text = self.fields["role"].help_text if adding else ""
            self.fields["role"] = forms.ChoiceField(
                choices=choices, widget=UnfoldAdminSelectWidget, initial=BuiltInRole.COMPANY_USER, help_text=help_text
            )
        if "status" in self.fields:
            self.fields["status"].choices = choice_of(AT_FIRST)  # type: ignore[attr-defined]
        if "permissions" in self.fields and not adding:
            self.fields["permissions"] = choose_permissions(user.customer_id, user.permissions)
            self.fields["permissions"].help_text = _("Those of the role need not be repeated.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding and cleaned.get("email") and cleaned.get("customer"):
            try:
                address = emails.parse(cleaned["email"])
            except ValidationFailed:
                raise forms.ValidationError({"email": _("Enter an email address.")}) from None
            if directory.find(cleaned["customer"].id, address.identity):
                raise forms.ValidationError({"email": _("This customer has such a user already.")})
            self.instance.email_identity = address.identity
            cleaned["email"] = address.typed
        return cleaned


class RoleFilter(admin.SimpleListFilter):
    """The roles that there are. Django's own filter would read every user to list them."""

    title = "role"
    parameter_name = "role__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        made = Role.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in sorted({*BuiltInRole.values, *made})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(role=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(AuditedAdmin):
    form = UserForm
    records_itself = True
    history_by = "user_id"
    list_display = ("email", "customer", "role", "state", "last_sign_in_at", "wrong_codes")
    list_filter = ("status", RoleFilter, "customer")
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    list_select_related = ("customer",)
    search_fields = ("email", "email_identity", "name", "id")
    readonly_fields = ("id", "has_phone", "email_verified_at", "approved_at", "created_at", "last_sign_in_at", *COUNTS)
    actions_detail: tuple[str, ...] = ("reactivate", "clear_wrong_codes", "erase")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Also of the address that is meant, however its domain is written."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        try:
            address = emails.parse(search_term)
        except ValidationFailed:
            return found, has_duplicates
        return found | queryset.filter(email_identity=address.identity), has_duplicates

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj:
            return (*UserForm.Meta.fields, *self.readonly_fields)
        return tuple(name for name in UserForm.Meta.fields if name != "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The status changes by what an operator does about the account, not by being written."""
        return (*self.readonly_fields, "customer", "email", "status") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deactivate, or erase: that says what will happen, and to one user at a time."""
        return False

    def has_erase_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("users.delete_user")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                lifecycle.change(row, changes=changes, **who(request))
        else:
            lifecycle.register(row, **who(request))

    @display(description=_("Status"), label={"active": "success", "pending": "warning", "deactivated": "danger"})
    def state(self, row: User) -> str:
        return row.status

    @display(description=_("Phone"))
    def has_phone(self, row: User) -> str:
        return _("on file") if row.phone else _("none")

    @action(description=_("Reactivate"), url_path="reactivate", permissions=["change"])
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            lifecycle.reactivate(row, **who(request))
            return _("The account is open again.")

        return self.ask_first(
            request,
            row,
            title=_("Reactivate %s?") % row.email,
            explanation=[
                _("The user can sign in again. Sessions that have ended stay so."),
                _("What the customer demands counts as ever: without it the account is pending until that is done."),
            ],
            button=_("Reactivate"),
            act=act,
        )

    @action(description=_("Clear wrong codes"), url_path="clear-wrong-codes", permissions=["change"])
    def clear_wrong_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            lifecycle.clear_wrong_codes(row, **who(request))
            return _("Codes are open to this user again.")

        return self.ask_first(
            request,
            row,
            title=_("Open codes to %s again?") % row.email,
            explanation=[
                _("%d wrong codes in a row were given for this account. The count starts anew.")
                % (row.wrong_codes + row.wrong_second_factors)
            ],
            button=_("Clear"),
            act=act,
        )

    @action(description=_("Erase"), url_path="erase", permissions=["erase"])
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> HttpResponse:
            erasure.erase(customer_id=row.customer_id, user_id=row.id, **who(request))
            messages.success(request, _("Erased."))
            return self.to_list()

        return self.ask_first(
            request,
            row,
            title=_("Erase %s?") % row.email,
            explanation=[
                _("The account goes, with its sessions, factors and everything else of it. This cannot be undone."),
                _("Mails lose what they said and to whom. Audit events stay; they hold no address."),
            ],
            button=_("Erase for good"),
            act=act,
        )


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Role
        fields = ("customer", "name", "permissions", "description")
        help_texts = {
            "name": _("Small letters, digits and _. Cannot be changed later. admin and company_user exist without it.")
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "permissions" in self.fields and not self.instance._state.adding:
            self.fields["permissions"] = choose_permissions(self.instance.customer_id, self.instance.permissions)


class OfOneCustomer(AuditedAdmin):
    """Pages of what a customer names: name and customer stay what they were when it was made."""

    records_itself = True
    actions = None  # one at a time: what is in use is refused
    list_filter = ("customer",)
    list_select_related = ("customer",)
    search_fields = ("name", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("customer", "name") if obj else ()


@admin.register(Role)
class RoleAdmin(OfOneCustomer):
    form = RoleForm
    list_display = ("name", "customer", "gives", "description")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Permissions can be chosen once it is known whose."""
        return tuple(name for name in RoleForm.Meta.fields if obj or name != "permissions")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            roles.change(row, **{name: form.cleaned_data[name] for name in form.changed_data}, **who(request))
        else:
            roles.register(row, **who(request))

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        roles.delete(row, **who(request))

    @display(description=_("Gives"))
    def gives(self, row: Role) -> str:
        return ", ".join(row.permissions)


@admin.register(Permission)
class PermissionAdmin(OfOneCustomer):
    fields = ("customer", "name", "description")
    list_display = ("name", "customer", "description")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            permission_names.describe(row, description=row.description, **who(request))
        else:
            permission_names.register(row, **who(request))

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        permission_names.delete(row, **who(request))
