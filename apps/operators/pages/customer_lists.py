"""The lists on a customer's page: its IP allowlist and its own limits. They are saved through flows, which record what changes."""

from typing import Any

from unfold.admin import TabularInline

from apps.core.context import RequestContext
from apps.customers import lifecycle
from apps.customers.models import AllowedNetwork, Customer, LimitOverride
from apps.customers.validation import canonical_network
from apps.operators.pages.row_form import RowForm


class NetworkForm(RowForm[AllowedNetwork]):
    def clean_network(self) -> str:
        """In its one spelling: only so the page sees that two rows are the same network."""
        return canonical_network(self.cleaned_data["network"])


class NetworkInline(TabularInline):
    model = AllowedNetwork
    form = NetworkForm
    fields = ("network", "note")
    extra = 0
    verbose_name_plural = "IP allowlist (none: everybody)"


class LimitForm(RowForm[LimitOverride]):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:
            self.fields["name"].disabled = True  # delete the one limit and add the other instead


class LimitInline(TabularInline):
    model = LimitOverride
    form = LimitForm
    fields = ("name", "count", "window")
    extra = 0
    verbose_name_plural = "Limits of its own (count in a window of seconds)"


def save(formset: Any, customer: Customer, context: RequestContext) -> None:
    """Save one of the two lists, if the page has changed it."""
    formset.save(commit=False)  # only sorts the rows into new, changed and deleted ones
    if not formset.has_changed():
        return
    if formset.model is AllowedNetwork:
        lifecycle.replace_allowlist(customer=customer, networks=_networks_left(formset), context=context)
    else:
        _save_limits(formset, customer, context)


def _networks_left(formset: Any) -> dict[str, str]:
    """The allowlist as the page leaves it. Networks that somebody has added since the page was opened stay."""
    written = _written(formset)
    touched = {row.id for row in (*written, *formset.deleted_objects)}
    kept = formset.instance.allowed_networks.exclude(id__in=touched)
    return {row.network: row.note for row in (*kept, *written)}


def _save_limits(formset: Any, customer: Customer, context: RequestContext) -> None:
    for row in formset.deleted_objects:
        lifecycle.restore_limit(customer=customer, name=row.name, context=context)
    for row in _written(formset):
        lifecycle.override_limit(customer=customer, name=row.name, count=row.count, window=row.window, context=context)


def _written(formset: Any) -> list[Any]:
    return [*formset.new_objects, *(row for row, _fields in formset.changed_objects)]
