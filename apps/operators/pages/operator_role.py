"""What an operator may do, and for which customers: chosen on the operator's page."""

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget

from apps.customers.models import Customer
from apps.operators.lists.scaled_lists import LookedUpChoices
from apps.operators.models import OperatorRole, RoleName
from apps.operators.pages.base import AuditedAdmin
from apps.operators.team import roles, scope

ALL, SOME = "all", "some"
NAMED = 3  # customers of an operator, in the list
ROLE_FIELDS = ("role", "reach", "customers")
THEIR_ROLE = lazy("What the operator may do")


def _choices() -> list[tuple[str, SafeString]]:
    """Each role, and what it may do."""
    return [(role.value, format_html("<b>{}</b>: {}", role.label, roles.SENTENCES[role])) for role in RoleName]


class RoleFields(forms.Form):
    """Stands before the form for an operator."""

    role = forms.ChoiceField(label=lazy("Role"), choices=_choices, widget=UnfoldAdminRadioSelectWidget)
    reach = forms.ChoiceField(
        label=lazy("For which customers"),
        choices=[(ALL, lazy("All, those to come too")), (SOME, lazy("Only these:"))],
        widget=UnfoldAdminRadioSelectWidget,
    )
    customers = forms.ModelMultipleChoiceField(
        label=lazy("Customers"),
        queryset=Customer.objects.order_by("name"),
        required=False,
        widget=LookedUpChoices(OperatorRole._meta.get_field("customers"), admin.site),
        help_text=lazy("Of other customers the operator sees nothing, on no page and in no number."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        operator: User = self.instance  # type: ignore[attr-defined]
        if operator.pk:
            self.initial = {**_given(operator), **self.initial}

    def clean(self) -> Any:
        cleaned = super().clean() or self.cleaned_data
        is_limited, customers = cleaned.get("reach") == SOME, cleaned.get("customers")
        if is_limited and not customers and "customers" not in self.errors:
            self.add_error("customers", _("Choose at least one, or all customers above."))
        if cleaned.get("reach") == ALL and customers:
            self.add_error("reach", _("Customers are chosen below. Say that it is only these, or take them away."))
        return cleaned


class OperatorRolePage(AuditedAdmin):
    """Stands before the page of operators. The role is saved with the operator, and told by the same event."""

    class Media:
        css: ClassVar = {"all": ["operators/operator.css"]}

    list_display = ("username", "role_name", "limits", "is_active", "last_login")
    list_filter = ("is_active",)
    search_help_text = lazy("A part of the name or of the address")
    filter_horizontal: ClassVar[Any] = ()
    readonly_fields = ("role_name", "limits", "last_login", "date_joined")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "is_active", "password")}),
        (THEIR_ROLE, {"fields": ROLE_FIELDS}),
        (lazy("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """To look at, for auditors: what is chosen, and no choice."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return shown
        return [(title, {**facts, "fields": _to_look_at(facts["fields"])}) for title, facts in shown]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("team_role").prefetch_related("team_role__customers")

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        given = form.cleaned_data
        if "role" in given:
            roles.assign(row, RoleName(given["role"]), None if given["reach"] == ALL else list(given["customers"]))

    @display(description=lazy("Role"))
    def role_name(self, row: User) -> str:
        role = roles.role_of(row)
        return str(role.label) if role else _("none yet")

    @display(description=lazy("Customers"))
    def limits(self, row: User) -> str:
        """The first few by name."""
        given: OperatorRole | None = getattr(row, "team_role", None)
        if given is None or row.is_superuser or not given.is_limited:
            return _("All") if roles.role_of(row) else ""
        return _listed(given.customers.all())


def _to_look_at(fields: Collection[Any]) -> tuple[Any, ...]:
    return ("role_name", "limits") if tuple(fields) == ROLE_FIELDS else tuple(fields)


def _given(operator: User) -> dict[str, Any]:
    role = roles.role_of(operator)
    customers = scope.of_operator(operator).customers
    reach = "" if role is None else ALL if customers is None else SOME
    return {"role": role or "", "reach": reach, "customers": sorted(map(str, customers or ()))}


def _listed(customers: Collection[Customer]) -> str:
    names = sorted(customer.name for customer in customers)
    more = len(names) - NAMED
    rest = [ngettext("%d more", "%d more", more) % more] if more > 0 else []
    return ", ".join([*names[:NAMED], *rest]) or _("None")
