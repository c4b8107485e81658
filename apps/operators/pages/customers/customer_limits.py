"""The limits of a customer as one form: what is left empty is the default."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.audit import sentences
from apps.core.rate_limits import Limit
from apps.customers import lifecycle, limits
from apps.customers.models import Customer, LimitOverride
from apps.customers.policy import DAY
from apps.operators.context import context_of_operator
from apps.operators.pages.customers.visit import Visit
from apps.operators.pages.measures import DurationField, duration
from apps.operators.pages.row_form import RowForm

MOST = 10_000_000
LONGEST_WINDOW = 31 * DAY


class LimitsForm(RowForm[Customer]):
    """Two fields for each limit: how many, and in which time if it has one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        own = {row.name: row for row in LimitOverride.objects.of(self.instance.pk)}
        for name, default in limits.DEFAULTS.items():
            self._add(default, own.get(name))

    def _add(self, default: Limit, own: LimitOverride | None) -> None:
        title = _title(default.name)
        self.fields[f"{default.name}_count"] = forms.IntegerField(
            label=_("%s: how many") % title,
            required=False,
            min_value=1,
            max_value=MOST,
            widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": default.count}),
        )
        self.initial[f"{default.name}_count"] = own.count if own else None
        if default.window != limits.EVER:
            self.fields[f"{default.name}_window"] = DurationField(
                label=_("%s: in which time") % title,
                required=False,
                least=1,
                most=LONGEST_WINDOW,
                widget=UnfoldAdminTextInputWidget(attrs={"placeholder": duration(default.window)}),
            )
            self.initial[f"{default.name}_window"] = own.window if own else None

    def rows(self) -> list[dict[str, Any]]:
        """As the page shows them."""
        return [
            {
                "title": _title(name),
                "count": self[f"{name}_count"],
                "window": self[f"{name}_window"] if default.window != limits.EVER else None,
            }
            for name, default in limits.DEFAULTS.items()
        ]

    def wanted(self, default: Limit) -> tuple[int, int]:
        """How many in which time: what was written, else the default."""
        given = self.cleaned_data
        return given[f"{default.name}_count"] or default.count, given.get(f"{default.name}_window") or default.window


def save_limits(visit: Visit, form: Any) -> None:
    """Each limit that differs now is an event of its own, and can be undone by itself."""
    context = context_of_operator(visit.request)
    own = {row.name: (row.count, row.window) for row in LimitOverride.objects.of(visit.customer.pk)}
    for name, default in limits.DEFAULTS.items():
        wanted, of_all = form.wanted(default), (default.count, default.window)
        if wanted == of_all and name in own:
            lifecycle.restore_limit(customer=visit.customer, name=name, context=context)
        elif wanted != own.get(name, of_all):
            count, window = wanted
            lifecycle.override_limit(customer=visit.customer, name=name, count=count, window=window, context=context)


def _title(name: str) -> str:
    return capfirst(sentences.words(name))
