"""What every page of the admin has in common: whatever an operator does becomes an audit event."""

from typing import Any, NamedTuple

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.audit import events
from apps.operators.context import context_of_operator
from apps.operators.declared_actions import OffersActions
from apps.operators.strict_lists import StrictLists


class Recorded(NamedTuple):
    """What events call an addition, a change and a deletion: names from `actions`."""

    added: str
    changed: str
    deleted: str


class AuditedAdmin(StrictLists, OffersActions):
    """Records what is added, changed and deleted: the names of the fields, never their values.

    A page either names these events in `recorded_as`, or sets `flows_record` because it saves through flows that record by
    themselves. Django runs each of these views in one transaction: what a flow refuses is undone as a whole, and the
    site tells the operator why. `history_by` names the column in which events refer to the page's rows; the page then links to
    them.

    Operators serve every customer, so pages list the rows of all: nothing here asks `objects.of(customer_id)`.
    """

    recorded_as: Recorded
    flows_record = False
    history_by = ""
    compressed_fields = True
    warn_unsaved_form = True

    def save_model(self, request: HttpRequest, row: Model, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if not self.flows_record:
            action = self.recorded_as.changed if change else self.recorded_as.added
            self.record(request, row, action, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, row: Model) -> None:
        if not self.flows_record:
            self.record(request, row, self.recorded_as.deleted)
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, action: str, **details: Any) -> None:
        """Write the event for what the operator did to `row`."""
        customer_id = getattr(row, "customer_id", None)
        events.record(
            action=action,
            customer_id=customer_id,
            details={"row": str(row.pk), **details},
            context=context_of_operator(request),
        )

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing: Django's own log would keep a user's address, which is the row's name, after the user is erased."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing, as above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing, as above."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        context["show_history"] = bool(self.history_by) and request.user.has_perm("audit.view_event")
        return super().render_change_form(request, context, *args, **options)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """The row's audit events: there is no other history."""
        query = {self.history_by: object_id} if self.history_by else None
        return HttpResponseRedirect(reverse("admin:audit_event_changelist", query=query))


class NeverAdded:
    """Nobody adds rows. This and the next two stand before the admin class that they restrict."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NeverChanged:
    """Nobody changes rows by a form."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NeverDeleted:
    """Nobody deletes rows by Django's button."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnly(NeverAdded, NeverChanged, NeverDeleted):
    """Pages, and parts of pages, that nobody edits."""


class ReadOnlyAdmin(LookOnly, AuditedAdmin):
    """Pages to look at."""


def adopt(row: Model, made: Model) -> None:
    """Let the form's row stand for the one that a flow has made: Django goes on with the form's."""
    row.pk = made.pk
    row._state.adding = False
