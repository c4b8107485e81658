"""End users. What is changed takes effect on the next request."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.errors import ValidationFailed
from apps.operators.changes import changing_users
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_address, by_id
from apps.operators.pages.base import AuditedAdmin, NeverDeleted
from apps.operators.pages.permission import choose_permissions
from apps.operators.pages.row_form import RowForm
from apps.operators.pages.users import user_page
from apps.operators.pages.users.user_actions import UserActions
from apps.operators.team import scope
from apps.users import directory, emails, lifecycle, roles
from apps.users.models import BuiltInRole, Role, User, UserStatus

FIRST_STATUSES = (UserStatus.ACTIVE, UserStatus.PENDING)  # which a new user may have
COUNTS = ("wrong_codes", "wrong_second_factors")
LATER = lazy("More can be given once it is saved.")  # which roles and permissions there are depends on the customer


def choice_of(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class UserForm(RowForm[User]):
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
                label=self.fields["role"].label,
                choices=choices,
                widget=UnfoldAdminSelectWidget,
                initial=BuiltInRole.COMPANY_USER,
                help_text=help_text,
            )
        if "status" in self.fields:
            cast("forms.ChoiceField", self.fields["status"]).choices = [
                (status, status.label) for status in FIRST_STATUSES
            ]
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
    """By the roles that exist: those of all customers are too many to read. Django's own filter would read every user."""

    title = lazy("role")
    parameter_name = "role__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        customer = request.GET.get("customer__id__exact")
        visible = scope.of(request).narrow(Role.objects.filter(Q(("customer", customer))))
        made = visible.values_list("name", flat=True) if customer else ()
        return choice_of(sorted({*BuiltInRole.values, *made}))

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(role=self.value()) if self.value() else queryset


class UserAdmin(UserActions, NeverDeleted, AuditedAdmin):
    """Users are not deleted: "Deactivate" and "Erase" say what will happen, and do it to one user at a time."""

    class Media:
        css = {"all": ["operators/user.css"]}

    form = UserForm
    flows_record = True
    history_by = "user_id"
    list_display = ("email", "customer", "role", "state", "last_sign_in_at", "wrong_codes")
    list_filter = ("status", RoleFilter, "customer")
    list_select_related = ("customer",)
    searches = (by_address, by_id)
    search_help_text = lazy("An address or how it begins, or an id")
    readonly_fields = (
        "id",
        "has_phone",
        "email_verified_at",
        "approved_at",
        "created_at",
        "last_sign_in_at",
        *COUNTS,
    )
    change_form_outer_before_template = "operators/user/page.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        user: User | None = context.get("original")
        if user is not None:
            context |= user_page.facts(request, self.admin_site, user)
            context["offered"], context["actions_detail"] = context.get("actions_detail", []), []  # below the verdict
        return super().render_change_form(request, context, *args, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj:
            return (*UserForm.Meta.fields, *self.readonly_fields)
        return tuple(name for name in UserForm.Meta.fields if name != "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The status is not written: it follows from "Deactivate", "Reactivate" and approval."""
        return (*self.readonly_fields, "customer", "email", "status") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        context = context_of_operator(request)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                changing_users.change(row, changes, context)
        else:
            lifecycle.register(row, context=context)

    @display(description=lazy("Status"), label={"active": "success", "pending": "warning", "deactivated": "danger"})
    def state(self, row: User) -> Label:
        return Label(row.status, row.get_status_display())

    @display(description=lazy("Phone"))
    def has_phone(self, row: User) -> str:
        return _("on file") if row.phone else _("none")
