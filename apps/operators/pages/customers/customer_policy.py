"""A customer's policy in small forms, one for each group of its fields, and each saved alone."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import transaction
from django.db.models import Field, JSONField
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.approvals import approval_queue
from apps.audit import value_texts
from apps.customers import lifecycle, policy, policy_texts
from apps.customers.models import Customer
from apps.customers.policy import Group
from apps.operators.changes import consequences
from apps.operators.changes.stale_forms import VersionedForm
from apps.operators.context import context_of_operator
from apps.operators.pages.customers.customer_limits import LimitsForm, save_limits
from apps.operators.pages.customers.visit import Visit
from apps.operators.pages.measures import DurationField, LinesField, SizeField
from apps.operators.pages.row_form import RowForm

TITLES: dict[Group, Promise] = {
    Group.SECRETS: lazy("Algorithm"),
    Group.TOKENS: lazy("Tokens and sessions"),
    Group.CODES: lazy("Codes"),
    Group.ACCOUNTS: lazy("Accounts and registration"),
    Group.SECOND_FACTORS: lazy("Second factors and passkeys"),
    Group.SMS: lazy("SMS"),
    Group.FILES: lazy("Files"),
    Group.QUOTAS: lazy("Quotas"),
    Group.ORIGINS: lazy("Origins"),
    Group.ALLOWLIST: lazy("Where the allowlist counts"),
    Group.MAIL: lazy("Name and mail"),
}


class CustomerForm(RowForm[Customer]):
    """The model and the fields are chosen where the form is made."""


class CustomerFormOfOthers(CustomerForm):
    """The form for operators who may not approve users: where an outside check approves them is fixed.

    The disabled field ignores what is posted.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "identity_check_url" in self.fields:
            self.fields["identity_check_url"].disabled = True


def save_policy(visit: Visit, form: Any) -> None:
    """Raises Unconfirmed for what is grave."""
    changes = {name: form.cleaned_data[name] for name in form.changed_data}
    if not changes:
        return
    present = Customer.objects.get(pk=visit.customer.pk)
    visit.page.require_confirmed(visit.request, consequences.of_policy(present, changes))
    lifecycle.update_policy(customer=present, changes=changes, context=context_of_operator(visit.request))


@dataclass(frozen=True, kw_only=True)
class SmallForm:
    """`slug`: its part of the address; `tab`: where it stands."""

    slug: str
    tab: str
    title: Promise
    fields: tuple[str, ...]
    says: Promise | str = ""
    base: type[RowForm[Customer]] | None = None
    save: Callable[[Visit, Any], None] = save_policy
    template: str = "operators/customer/fields.html"


def _of_group(group: Group, tab: str, *before: str) -> SmallForm:
    slug = group.name.lower().replace("_", "-")
    return SmallForm(slug=slug, tab=tab, title=TITLES[group], fields=(*before, *policy.groups()[group]))


LIMITS = SmallForm(
    slug="limits",
    tab="policy",
    title=lazy("Limits and lockout"),
    says=lazy("Empty: the default counts, which stands in grey."),
    fields=(),
    base=LimitsForm,
    save=save_limits,
    template="operators/customer/limits.html",
)
FORMS = {
    form.slug: form
    for form in (
        _of_group(Group.CODES, "policy"),
        LIMITS,
        _of_group(Group.TOKENS, "policy"),
        _of_group(Group.ACCOUNTS, "policy"),
        _of_group(Group.SECOND_FACTORS, "policy"),
        _of_group(Group.ORIGINS, "policy"),
        _of_group(Group.QUOTAS, "policy"),
        _of_group(Group.SMS, "policy"),
        _of_group(Group.FILES, "policy"),
        _of_group(Group.SECRETS, "secrets"),
        _of_group(Group.ALLOWLIST, "allowlist"),
        _of_group(Group.MAIL, "branding", "name"),
    )
}


@dataclass(frozen=True)
class ShownForm:
    """A small form on the page."""

    small: SmallForm
    form: Any
    action: str


def field_of(page: Any, request: Any, column: "Field[Any, Any]", **options: Any) -> Any:
    """The form's field for a column: durations, sizes and lists as a person writes them; else as everywhere in the admin."""
    texts: dict[str, Any] = {
        "label": policy_texts.LABELS.get(column.name),
        "help_text": policy_texts.HELP.get(column.name, ""),
    }
    if column.name in value_texts.IN_SECONDS:
        return DurationField(**_bounds(column), **texts)
    if column.name.endswith("_bytes"):
        return SizeField(**_bounds(column), **texts)
    if isinstance(column, JSONField):
        return LinesField(**texts)
    return page.formfield_for_dbfield(column, request=request, **{**options, **{k: v for k, v in texts.items() if v}})


def _bounds(column: "Field[Any, Any]") -> dict[str, Any]:
    validators = column.validators
    least = [each.limit_value for each in validators if isinstance(each, MinValueValidator)]
    most = [each.limit_value for each in validators if isinstance(each, MaxValueValidator)]
    return {"least": max(least), "most": min(most, default=None)}


def form_of(visit: Visit, small: SmallForm, data: Any = None) -> Any:
    """The form, which is refused when it is stale. Who may only look finds it disabled."""
    may_approve = visit.request.user.has_perm(approval_queue.PERMISSION)
    base = small.base or (CustomerForm if may_approve else CustomerFormOfOthers)
    callback = partial(field_of, visit.page, visit.request)
    made = forms.modelform_factory(Customer, form=base, fields=small.fields, formfield_callback=callback)
    guarded = type(made.__name__, (VersionedForm, made), {"page": visit.page, "request": visit.request})
    form: Any = guarded(data, instance=copy(visit.customer))  # a form with a fault leaves what was typed in its row
    for each in form.fields.values():
        each.disabled = each.disabled or not visit.may_change
    return form


def shown(visit: Visit, tab: str, typed: ShownForm | None = None) -> list[ShownForm]:
    """The small forms of a tab; the one that came back with a fault as it was typed."""
    here = [small for small in FORMS.values() if small.tab == tab]
    return [typed if typed and typed.small is small else _shown(visit, small) for small in here]


def _shown(visit: Visit, small: SmallForm, data: Any = None) -> ShownForm:
    action = reverse("admin:customers_customer_form", args=[visit.customer.pk, small.slug])
    return ShownForm(small, form_of(visit, small, data), action)


def save(visit: Visit, small: SmallForm) -> HttpResponse:
    """Save one small form, or show its tab again with what is wrong. Raises Unconfirmed for what is grave."""
    with transaction.atomic():
        typed = _shown(visit, small, visit.request.POST)
        if typed.form.is_valid():
            small.save(visit, typed.form)
            said = _("Saved: %s.") % small.title if typed.form.changed_data else _("Nothing was changed.")
            return visit.back_to(small.tab, said, small.slug)
    response: HttpResponse = visit.page.show_tab(visit, small.tab, typed=typed)
    return response
