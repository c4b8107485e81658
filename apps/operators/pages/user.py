"""End users. What is changed takes effect on the next request."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts import deactivation, erasure
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.operators.context import context_of_operator
from apps.operators.declared_actions import RowAction
from apps.operators.pages.base import AuditedAdmin, NeverDeleted
from apps.operators.pages.permission import choose_permissions
from apps.operators.pages.row_form import RowForm
from apps.operators.questions import Question
from apps.tokens import sessions
from apps.users import directory, emails, lifecycle, roles
from apps.users.models import BuiltInRole, Role, User, UserStatus

FIRST_STATUSES = (UserStatus.ACTIVE, UserStatus.PENDING)  # which a new user may have
COUNTS = ("wrong_codes", "wrong_second_factors")
LATER = "More can be given once it is saved."  # which roles and permissions there are depends on the customer


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
                choices=choices, widget=UnfoldAdminSelectWidget, initial=BuiltInRole.COMPANY_USER, help_text=help_text
            )
        if "status" in self.fields:
            cast("forms.ChoiceField", self.fields["status"]).choices = choice_of(FIRST_STATUSES)
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
    """By the roles that exist. Django's own filter would read every user to list them."""

    title = "role"
    parameter_name = "role__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        made = Role.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in sorted({*BuiltInRole.values, *made})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(role=self.value()) if self.value() else queryset


class UserAdmin(NeverDeleted, AuditedAdmin):
    """Users are not deleted: "Deactivate" and "Erase" say what will happen, and do it to one user at a time."""

    form = UserForm
    flows_record = True
    history_by = "user_id"
    list_display = ("email", "customer", "role", "state", "last_sign_in_at", "wrong_codes")
    list_filter = ("status", RoleFilter, "customer")
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    list_select_related = ("customer",)
    search_fields = ("email", "email_identity", "name", "id")
    readonly_fields = ("id", "has_phone", "email_verified_at", "approved_at", "created_at", "last_sign_in_at", *COUNTS)
    actions_detail = ("deactivate", "reactivate", "clear_wrong_codes", "erase")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Finds an address also when its domain is written in another way."""
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
        """The status is not written: it follows from "Deactivate", "Reactivate" and approval."""
        return (*self.readonly_fields, "customer", "email", "status") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        context = context_of_operator(request)
        if change:
            _change(row, {name: form.cleaned_data[name] for name in form.changed_data}, context)
        else:
            lifecycle.register(row, context=context)

    @display(description=_("Status"), label={"active": "success", "pending": "warning", "deactivated": "danger"})
    def state(self, row: User) -> str:
        return row.status

    @display(description=_("Phone"))
    def has_phone(self, row: User) -> str:
        return _("on file") if row.phone else _("none")

    @RowAction(
        label=_("Deactivate"),
        url_path="deactivate",
        permissions=["change"],
        offered=lambda user: user.status != UserStatus.DEACTIVATED,
        question=lambda user: Question(
            _("Deactivate %s?") % user.email,
            [
                _("The user is signed out everywhere, and cannot sign in. %d living session(s) end.") % _living(user),
                _("Nothing is deleted; the account can be reactivated at any time."),
            ],
            button=_("Deactivate"),
        ),
    )
    def deactivate(self, user: User, context: RequestContext) -> str:
        deactivation.deactivate(user, context=context)
        return _("Deactivated.")

    @RowAction(
        label=_("Reactivate"),
        url_path="reactivate",
        permissions=["change"],
        offered=lambda user: user.status == UserStatus.DEACTIVATED,
        question=lambda user: Question(
            _("Reactivate %s?") % user.email,
            [
                _("The user can sign in again. Sessions that have ended stay so."),
                _("What the customer demands counts as ever: without it the account is pending until that is done."),
            ],
            button=_("Reactivate"),
        ),
    )
    def reactivate(self, user: User, context: RequestContext) -> str:
        lifecycle.reactivate(user, context=context)
        return _("The account is open again.")

    @RowAction(
        label=_("Clear wrong codes"),
        url_path="clear-wrong-codes",
        permissions=["change"],
        question=lambda user: Question(
            _("Open codes to %s again?") % user.email,
            [
                _("%d wrong codes in a row were given for this account. The count starts anew.")
                % (user.wrong_codes + user.wrong_second_factors)
            ],
            button=_("Clear"),
        ),
    )
    def clear_wrong_codes(self, user: User, context: RequestContext) -> str:
        lifecycle.clear_wrong_codes(user, context=context)
        return _("Codes are open to this user again.")

    @RowAction(
        label=_("Erase"),
        url_path="erase",
        permissions=["delete"],
        removes_row=True,
        question=lambda user: Question(
            _("Erase %s?") % user.email,
            [
                _("The account goes, with its sessions, factors and everything else of it. This cannot be undone."),
                _("Mails lose what they said and to whom. Audit events stay; they hold no address."),
            ],
            button=_("Erase for good"),
        ),
    )
    def erase(self, user: User, context: RequestContext) -> str:
        erasure.erase(customer_id=user.customer_id, user_id=user.id, context=context)
        return _("Erased.")


def _change(user: User, changes: dict[str, Any], context: RequestContext) -> None:
    if changes:
        lifecycle.change(user, changes=changes, context=context)
    if changes.get("role") == BuiltInRole.ADMIN:
        sessions.end_begun_by_test_keys(customer_id=user.customer_id, user_id=user.id, context=context)


def _living(user: User) -> int:
    return sessions.alive(customer_id=user.customer_id, user_id=user.id, now=timezone.now()).count()
