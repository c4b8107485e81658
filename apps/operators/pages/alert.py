"""Alerts: what was raised, the rows behind it, acknowledging; and the rules."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.alerts import sentences, usual_rules, watching
from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.audit import actions
from apps.core.context import RequestContext
from apps.figures.models import EVERYONE, FigureKind
from apps.operators.changes.declared_actions import ListAction, RowAction, SelectionAction
from apps.operators.lists.figure_rows import Rows
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_customer, by_name, by_reference
from apps.operators.pages.base import AuditedAdmin, ReadOnlyAdmin, Recorded, link_to
from apps.operators.questions import Question

ROWS_OF = {
    AlertKind.FAILURES: FigureKind.FAILURE,
    AlertKind.MAILS_FAILED: FigureKind.MAIL_FAILED,
    AlertKind.SLOW_MAIL: FigureKind.MAIL_TIME,
}
HELP = {
    "customer": lazy("Empty: every customer, each by itself, and the service's own events."),
    "threshold": lazy("It is raised from this number on."),
    "recipients": lazy("Addresses, separated by commas or lines. Empty: the operators who may acknowledge alerts."),
}


class UnacknowledgedFilter(admin.SimpleListFilter):
    title = lazy("acknowledged")
    parameter_name = "acknowledged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("No")), ("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        said = self.value()
        return queryset.filter(acknowledged_at__isnull=said == "no") if said in {"yes", "no"} else queryset


class AlertAdmin(ReadOnlyAdmin):
    list_display = ("raised_at", "sentence", "coloured_state", "rows")
    list_filter = (UnacknowledgedFilter, "kind")
    searches = (by_name("customer_name"), by_reference("customer_id"))
    search_help_text = lazy("How the customer's name begins, or its id")
    ordering = ("-raised_at", "-id")
    fields = ("sentence", "rows", "of_customer", "state", "raised_at", "over_at", "acknowledged_at", "acknowledged_by")
    readonly_fields = ("sentence", "rows", "of_customer", "state")
    actions = ("acknowledge_selected",)
    actions_detail = ("acknowledge",)

    @display(description=lazy("Alert"))
    def sentence(self, row: Alert) -> str:
        return sentences.of(row)

    @display(description=lazy("State"))
    def state(self, row: Alert) -> str:
        if row.acknowledged_at is None:
            return _("not acknowledged")
        return _("acknowledged") if row.over_at else _("acknowledged, goes on")

    @display(description=lazy("State"), label={"new": "danger", "seen": "success"})
    def coloured_state(self, row: Alert) -> Label:
        return Label("seen" if row.acknowledged_at else "new", self.state(row))

    @display(description=lazy("Customer"))
    def of_customer(self, row: Alert) -> str:
        """As it was called then, and a link to what it is now."""
        if row.customer_id == EVERYONE:
            return _("The service itself")
        return link_to("customers_customer", row.customer_id, row.customer_name)

    @display(description=lazy("Rows"))
    def rows(self, row: Alert) -> str:
        return format_html('<a class="underline" href="{}">{}</a>', address_of_rows(row), _("Show what it counts"))

    @RowAction(
        label=lazy("Acknowledge"),
        url_path="acknowledge",
        permissions=["change"],
        offered=lambda alert: alert.acknowledged_at is None,
        question=lambda alert: Question(
            _("Acknowledge this alert?"),
            [sentences.of(alert), _("It is raised again only after it has been over.")],
            button=_("Acknowledge"),
        ),
    )
    def acknowledge(self, alert: Alert, context: RequestContext) -> str:
        watching.acknowledge(alert, context=context)
        return _("Acknowledged.")

    @SelectionAction(
        label=lazy("Acknowledge the selected alerts"),
        permissions=["change"],
        affected=lambda selected: selected.filter(acknowledged_at=None),
        question=lambda chosen: Question(
            ngettext("Acknowledge %d alert?", "Acknowledge %d alerts?", len(chosen)) % len(chosen),
            [_("Each is raised again only after it has been over.")],
            button=_("Acknowledge"),
        ),
    )
    def acknowledge_selected(self, chosen: list[Alert], context: RequestContext) -> str:
        done = sum(watching.acknowledge(alert, context=context) for alert in chosen)
        return ngettext("%d alert acknowledged.", "%d alerts acknowledged.", done) % done


class ChosenCustomer(AutocompleteSelect):
    """A customer, found by typing. Django looks up whatever was posted, and fails where no key can look like it."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [key for key in value if _may_be_key(key)], attr)


def _may_be_key(text: str) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


class AlertRuleAdmin(AuditedAdmin):
    recorded_as = Recorded(actions.ALERT_RULE_ADDED, actions.ALERT_RULE_CHANGED, actions.ALERT_RULE_DELETED)
    values_left_out = ("recipients",)
    list_display = ("kind", "threshold", "of_customer", "recipients", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("customer",)
    searches = (by_customer("customer"), by_reference("customer"))
    search_help_text = lazy("How the customer's name begins, or its id")
    autocomplete_fields = ("customer",)
    fields = ("customer", "kind", "threshold", "recipients", "is_active")
    actions_list = ("add_usual",)

    @ListAction(
        label=lazy("Add the usual rules"),
        url_path="add-usual",
        permissions=["add"],
        is_good=True,
        offered=lambda: not AlertRule.objects.exists(),
        question=lambda: Question(
            _("Add the usual rules?"),
            [
                *(f"{kind.label}: {threshold}" for kind, threshold in usual_rules.USUAL.items()),
                _("They watch every customer, and tell the operators who may acknowledge alerts. Each can be changed."),
            ],
            button=_("Add"),
        ),
    )
    def add_usual(self, context: RequestContext) -> str:
        added = usual_rules.add(context=context)
        return ngettext("%d rule added.", "%d rules added.", added) % added

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        """What it has raised goes with it. Nobody may delete an alert by itself, and Django would ask for that."""
        shown, counts, missing, kept = super().get_deleted_objects(objs, request)
        return shown, counts, {name for name in missing if name != Alert._meta.verbose_name}, kept

    @display(description=lazy("Customer"))
    def of_customer(self, row: AlertRule) -> str:
        return row.customer.name if row.customer else _("Every customer")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_foreignkey(
            db_field, request, **{"widget": ChosenCustomer(db_field, self.admin_site), **options}
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        widgets = {"recipients": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        return super().get_form(request, obj, change, help_texts=HELP, widgets=widgets, **options)


def address_of_rows(alert: Alert) -> str:
    """The list of what the alert counts; for a quota, the customer's page."""
    if alert.kind == AlertKind.QUOTA:
        return reverse("admin:customers_customer_change", args=[alert.customer_id])
    rows = Rows(alert.since, alert.raised_at, alert.customer_id)
    return rows.of_alarms() if alert.kind == AlertKind.SECURITY else rows.of(ROWS_OF[AlertKind(alert.kind)])
